//! What the words in a role column mean.

use std::collections::HashMap;

use crate::model::SpeakerRole;

/// Role words, lower case. Source: exports of the desks listed in docs/formats.md.
const WORDS: [(SpeakerRole, &[&str]); 3] = [
    (
        SpeakerRole::Agent,
        &[
            "客服",
            "坐席",
            "座席",
            "人工",
            "人工客服",
            "接待成员",
            "接待人",
            "接线员",
            "话务员",
            "商家",
            "卖家",
            "店铺",
            "客服人员",
            "staff",
            "waiter",
            "agent",
            "service",
            "seller",
            "assistant",
            "im.waiter",
            "1",
            "true",
        ],
    ),
    (
        SpeakerRole::Customer,
        &[
            "客户",
            "顾客",
            "买家",
            "访客",
            "用户",
            "联系人",
            "消费者",
            "会员",
            "来电人",
            "主叫",
            "customer",
            "visitor",
            "user",
            "client",
            "buyer",
            "guest",
            "caller",
            "im.customer",
            "0",
            "false",
        ],
    ),
    (
        SpeakerRole::System,
        &[
            "系统",
            "系统消息",
            "机器人",
            "服务助手",
            "智能客服",
            "自动回复",
            "通知",
            "system",
            "robot",
            "bot",
            "sys",
            "notice",
        ],
    ),
];

/// The known role words and those of the user.
#[derive(Debug, Clone)]
pub struct RoleWords(HashMap<String, SpeakerRole>);

impl Default for RoleWords {
    fn default() -> RoleWords {
        let words = WORDS.iter().flat_map(|(role, words)| words.iter().map(|word| ((*word).to_owned(), *role)));
        RoleWords(words.collect())
    }
}

impl RoleWords {
    /// Adds `agent=商家,customer=会员`; a word may be given again to mean something else.
    ///
    /// # Errors
    /// A sentence that says what is wrong with `text`.
    ///
    /// ```
    /// use zhijian::{SpeakerRole, input::RoleWords};
    /// let mut words = RoleWords::default();
    /// words.add("agent=掌柜,customer=书友").unwrap();
    /// assert_eq!(words.role("掌柜"), SpeakerRole::Agent);
    /// assert_eq!(words.role("路人"), SpeakerRole::Unknown);
    /// assert!(words.add("boss=掌柜").is_err());
    /// ```
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (role, word) =
                pair.split_once('=').ok_or_else(|| format!("'{pair}' is not of the form role=word, as agent=商家"))?;
            let role = match role.trim() {
                "agent" => SpeakerRole::Agent,
                "customer" => SpeakerRole::Customer,
                "system" => SpeakerRole::System,
                other => return Err(format!("'{other}' is not a role; use agent, customer or system")),
            };
            self.0.insert(word.trim().to_lowercase(), role);
        }
        Ok(())
    }

    /// What `word` means; [`SpeakerRole::Unknown`] when it is not known.
    pub fn role(&self, word: &str) -> SpeakerRole {
        let known = self.0.get(word).or_else(|| self.0.get(word.trim().to_lowercase().as_str()));
        known.copied().unwrap_or(SpeakerRole::Unknown)
    }
}
