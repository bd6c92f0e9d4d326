//! Placeholders in scripts (`{name}`, `${订单号}`, 【时间】) → what rules take for a blank: they neither breach nor hide one.

use std::borrow::Cow;

use crate::lint::align::Alignment;
use crate::span::Span;

/// The longest placeholder, in characters between its brackets.
const LONGEST: usize = 24;

/// What square brackets must hold to be a placeholder and not a heading such as 【温馨提示】 or a breach such as 【概不退换】.
const BLANKS: [&str; 40] = [
    "时间",
    "日期",
    "时限",
    "时效",
    "时段",
    "小时",
    "天数",
    "姓名",
    "名字",
    "昵称",
    "称呼",
    "先生",
    "单号",
    "编号",
    "工号",
    "号码",
    "手机号",
    "电话",
    "地址",
    "链接",
    "网址",
    "金额",
    "数额",
    "价格",
    "费用",
    "数量",
    "次数",
    "商品",
    "商品名",
    "产品名",
    "品名",
    "店名",
    "店铺名",
    "公司名",
    "门店",
    "城市",
    "数字",
    "数字x",
    "日期x",
    "时间x",
];

/// What the blank stands for: rules know these from anonymised exports.
fn blank(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if holds(&["日期", "date", "deadline", "day"]) {
        "[日期x]"
    } else if holds(&["时间", "时段", "time", "eta"]) {
        "[时间x]"
    } else {
        "[数字x]"
    }
}

/// Replaces the placeholders of `text`. The alignment leads from the result back to `text`; `None` where nothing changed.
///
/// ```
/// use zhijian::lint::placeholder::neutralise;
/// assert_eq!(neutralise("{name}您好，【时间】前回复").0, "[数字x]您好，[时间x]前回复");
/// assert_eq!(neutralise("【温馨提示】概不退换").0, "【温馨提示】概不退换");
/// ```
pub fn neutralise(text: &str) -> (Cow<'_, str>, Option<Alignment>) {
    let mut out = String::new();
    let mut alignment = Alignment::default();
    let (mut copied, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let Some((end, name)) = placeholder(text, at) else {
            at += c.len_utf8();
            continue;
        };
        if copied < at {
            out.push_str(&text[copied..at]);
            alignment.push(out.len(), copied..at);
        }
        out.push_str(blank(&text[name]));
        alignment.push(out.len(), at..end);
        (copied, at) = (end, end);
    }
    if copied == 0 {
        return (Cow::Borrowed(text), None);
    }
    if copied < text.len() {
        out.push_str(&text[copied..]);
        alignment.push(out.len(), copied..text.len());
    }
    (Cow::Owned(out), Some(alignment))
}

/// The end of the placeholder that starts at byte `at`, and its name.
fn placeholder(text: &str, at: usize) -> Option<(usize, Span)> {
    const BRACKETS: [(&str, &str, bool); 10] = [
        ("{{", "}}", true),
        ("${", "}", true),
        ("#{", "}", true),
        ("{%", "%}", true),
        ("<%", "%>", true),
        ("{", "}", true),
        ("｛", "｝", true),
        ("【", "】", false),
        ("[", "]", false),
        ("<", ">", false),
    ];
    let rest = &text[at..];
    for (open, close, always) in BRACKETS {
        let Some(inner) = rest.strip_prefix(open) else { continue };
        let end = inner.find(close)?;
        let name = &inner[..end];
        let plain = !name.contains(['。', '！', '？', '，', '；', '\n']) && name.chars().count() <= LONGEST;
        let known = BLANKS.iter().any(|blank| name.trim_matches([' ', '*']).ends_with(blank));
        if plain && !name.trim().is_empty() && (always || known) {
            let start = at + open.len();
            return Some((start + end + close.len(), start..start + end));
        }
        return None;
    }
    // printf: %s, %d, %1$s
    let format = rest.strip_prefix('%')?;
    let digits = format.len() - format.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$').len();
    let ends = format[digits..].starts_with(['s', 'd'])
        && !format[digits + 1..].starts_with(|c: char| c.is_ascii_alphanumeric());
    ends.then_some((at + 1 + digits + 1, at..at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_blanked_and_traced_back() {
        for (text, part, neutral) in [
            ("亲${订单号}已发", "${订单号}", "亲[数字x]已发"),
            ("亲{{ user.name }}好", "{{ user.name }}", "亲[数字x]好"),
            ("请在【时间】前", "【时间】", "请在[时间x]前"),
            ("退%s元，约%1$d天", "%s", "退[数字x]元，约[数字x]天"),
            ("[退款金额]元", "[退款金额]", "[数字x]元"),
            ("{deadline}前", "{deadline}", "[日期x]前"),
        ] {
            let (out, alignment) = neutralise(text);
            assert_eq!(out, neutral);
            let at = out.find('[').expect("a blank");
            let end = at + out[at..].find(']').expect("closed") + 1;
            assert_eq!(&text[alignment.expect("changed").source(&(at..end))], part);
        }
        for text in ["打9折，100%满意", "{概不退换。", "【概不退换】", "【】", "{}", "[抱拳]好", "50%", ""]
        {
            let (out, alignment) = neutralise(text);
            assert_eq!((&*out, alignment), (text, None));
        }
    }
}
