//! Rows that are no messages: notices of the desk software, recalls, receipts, cards, pictures, automatic replies.

use serde::Serialize;

/// What a row is when it is not something a person wrote or said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 自动回复: sent by the desk software in the agent's name.
    AutoReply,
    /// 转接, 分配, 邀请评价: a notice of the desk software.
    Notice,
    /// 撤回
    Recall,
    /// 已读, 未读, 发送中
    Receipt,
    /// 商品卡片, 订单卡片, 链接
    Card,
    /// 图片, 表情, 语音, 视频, 文件
    Media,
}

impl Kind {
    /// The Chinese words for the ledger.
    pub fn chinese(self) -> &'static str {
        match self {
            Kind::AutoReply => "自动回复",
            Kind::Notice => "系统通知",
            Kind::Recall => "撤回",
            Kind::Receipt => "已读回执",
            Kind::Card => "卡片链接",
            Kind::Media => "图片等",
        }
    }

    /// The English words for the ledger.
    pub fn english(self) -> &'static str {
        match self {
            Kind::AutoReply => "automatic replies",
            Kind::Notice => "notices",
            Kind::Recall => "recalls",
            Kind::Receipt => "receipts",
            Kind::Card => "cards",
            Kind::Media => "media",
        }
    }

    /// What `text` is if it is no message as a whole. Cheap for messages: looks at their first and last characters.
    ///
    /// ```
    /// use zhijian::input::Kind;
    /// assert_eq!(Kind::of("[图片]"), Some(Kind::Media));
    /// assert_eq!(Kind::of("小满 撤回了一条消息"), Some(Kind::Recall));
    /// assert_eq!(Kind::of("[自动回复]亲，在的"), Some(Kind::AutoReply));
    /// assert_eq!(Kind::of("图片发我看看"), None);
    /// ```
    pub fn of(text: &str) -> Option<Kind> {
        let text = text.trim();
        let first = text.chars().next()?;
        match first {
            '[' | '【' | '［' => return bracketed(text),
            'h' | 'H' | '`' => return link(text).then_some(Kind::Card),
            _ if text.len() > LONGEST_NOTICE => return None,
            _ => {}
        }
        if matches!(text, "已读" | "未读" | "发送中" | "送达" | "已送达" | "对方未读" | "对方已读")
        {
            return Some(Kind::Receipt);
        }
        if text.ends_with("撤回了一条消息") || text.ends_with("撤回一条消息") {
            return Some(Kind::Recall);
        }
        let notice = match first {
            '由' => text.contains("转交给") || text.contains("转接给"),
            '原' => text.starts_with("原因：【"),
            '当' => text.starts_with("当前用户来自"),
            '会' => text.starts_with("会话已转接") || text.starts_with("会话已结束") || text.starts_with("会话转接"),
            '自' if text.starts_with("自动回复：") || text.starts_with("自动回复:") => {
                return Some(Kind::AutoReply);
            }
            '商' if text == "商品详情页" => return Some(Kind::Card),
            _ => false,
        };
        notice.then_some(Kind::Notice)
    }

    /// What exports call kinds of messages in a column of their own (`msgType`, `mediaType`, `类型`); `None` for text and for
    /// words that are not known.
    pub fn from_word(word: &str) -> Option<Kind> {
        Some(match word.trim().to_lowercase().as_str() {
            "image" | "img" | "picture" | "voice" | "audio" | "video" | "file" | "emotion" | "sticker" | "图片"
            | "表情" | "语音" | "视频" | "文件" => Kind::Media,
            "card" | "link" | "weapp" | "order" | "goods" | "product" | "location" | "卡片" | "商品" | "商品卡片"
            | "订单" | "链接" => Kind::Card,
            "revoke" | "recall" | "撤回" => Kind::Recall,
            "system" | "notice" | "agree" | "disagree" | "switch" | "transfer" | "系统" | "通知" | "系统消息" => {
                Kind::Notice
            }
            "auto" | "autoreply" | "auto_reply" | "自动回复" => Kind::AutoReply,
            _ => return None,
        })
    }
}

/// Bytes. Longer rows are messages that happen to begin as notices do.
const LONGEST_NOTICE: usize = 240;

/// `[图片]` is a picture; `[自动回复]在的` an automatic reply; `[订单12]怎么还没到` a message with a masked number.
fn bracketed(text: &str) -> Option<Kind> {
    let close = text.find([']', '】', '］'])?;
    let (word, rest) = text.split_at(close);
    let word: String = word.chars().skip(1).collect();
    let rest: String = rest.chars().skip(1).collect();
    if matches!(word.as_str(), "自动回复" | "机器人" | "智能回复" | "系统自动回复") {
        return Some(Kind::AutoReply);
    }
    if matches!(word.as_str(), "系统消息" | "系统" | "系统提示") {
        return Some(Kind::Notice);
    }
    let name = word.split([':', '：', ' ']).next().unwrap_or("");
    let kind = match name {
        "图片" | "动画表情" | "表情" | "语音" | "视频" | "文件" | "语音通话" | "视频通话" | "截图" => {
            Kind::Media
        }
        "商品" | "商品卡片" | "订单卡片" | "商品链接" | "订单" | "链接" | "卡片" | "位置" | "小程序" | "优惠券" => {
            Kind::Card
        }
        _ => return None,
    };
    rest.trim().is_empty().then_some(kind)
}

/// The whole text is one link.
fn link(text: &str) -> bool {
    let text = text.trim_matches('`').trim();
    let lower = text.get(..8).map(str::to_ascii_lowercase);
    lower.is_some_and(|head| head.starts_with("http://") || head == "https://")
        && !text.chars().any(|c| c.is_whitespace() || ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_wrote_is_a_message() {
        for text in [
            "你就是个傻逼",
            "[订单12]怎么还没到",
            "【重要】请查收",
            "http://a.cn/b 这个链接打不开",
            "由于天气原因，晚点到",
            "原因我跟您说一下",
            "会话里说过了",
            "",
            "   ",
            "好",
            "[图片]这个是什么",
            "h",
        ] {
            assert_eq!(Kind::of(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_software_wrote_is_not() {
        for (text, kind) in [
            ("【自动回复】您好，在的", Kind::AutoReply),
            ("自动回复：亲亲在的", Kind::AutoReply),
            ("由 服务助手 转交给 栗屿家居旗舰店:小满", Kind::Notice),
            ("原因：【离线留言自动分配】", Kind::Notice),
            ("当前用户来自 商品详情页", Kind::Notice),
            ("会话已转接至 小满", Kind::Notice),
            ("已读", Kind::Receipt),
            ("栗屿家居旗舰店:小满 撤回了一条消息", Kind::Recall),
            ("`https://item.taobao.com/item.htm?id=1`", Kind::Card),
            ("[商品卡片: 胡桃木书桌]", Kind::Card),
            ("[表情]", Kind::Media),
        ] {
            assert_eq!(Kind::of(text), Some(kind), "{text}");
        }
    }
}
