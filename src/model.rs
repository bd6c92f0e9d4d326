//! The nouns every stage shares; no logic beyond names and parsing.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Where a conversation was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Written chat (在线).
    #[default]
    Chat,
    /// A call, as recognised speech (热线).
    Call,
    /// A scripted reply or bot dialogue (话术).
    Script,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 3] = [Channel::Chat, Channel::Call, Channel::Script];

    /// Reads the words exports use (`chat`, `在线`, `call`, `热线`, `电话`, `script`, `话术` …); `None` for any other.
    pub fn from_word(word: &str) -> Option<Channel> {
        Some(match word.trim().to_lowercase().as_str() {
            "chat" | "在线" | "im" | "聊天" | "网页" | "在线客服" | "文字" | "app" | "微信" => {
                Channel::Chat
            }
            "call" | "热线" | "电话" | "语音" | "呼入" | "呼出" | "通话" | "voice" | "phone" => {
                Channel::Call
            }
            "script" | "话术" | "机器人" | "脚本" | "快捷短语" | "ivr" => Channel::Script,
            _ => return None,
        })
    }
}

/// Who wrote or spoke a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpeakerRole {
    /// 客服, 坐席: the only role that is judged.
    Agent,
    /// 顾客, 买家: context.
    Customer,
    /// Notices of the desk software: context.
    System,
    /// A role word that is not known: counted, reported, not judged.
    Unknown,
}

/// What kind of breach a rule looks for. The Chinese names are those of the labelling guideline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// 侮辱贬损
    Insult,
    /// 威胁恐吓
    Threat,
    /// 拖延推诿
    Stall,
    /// 拒绝履责
    Refuse,
    /// 隐瞒误导
    Conceal,
    /// 不公平格式条款
    UnfairTerms,
    /// 阻碍维权
    Obstruct,
    /// 侵害个人信息
    Privacy,
    /// 强制交易
    Coerce,
    /// 法条引用错误
    Citation,
}

impl Family {
    /// Every family, in the order reports list them.
    pub const ALL: [Family; 10] = [
        Family::Insult,
        Family::Threat,
        Family::Stall,
        Family::Refuse,
        Family::Conceal,
        Family::UnfairTerms,
        Family::Obstruct,
        Family::Privacy,
        Family::Coerce,
        Family::Citation,
    ];

    /// The nine families of conduct, in the same order; `citation` is not conduct.
    pub const CONDUCT: [Family; 9] = *Family::ALL.first_chunk().expect("citation stands last");

    /// The stable English word used in ids and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Insult => "insult",
            Family::Threat => "threat",
            Family::Stall => "stall",
            Family::Refuse => "refuse",
            Family::Conceal => "conceal",
            Family::UnfairTerms => "unfair_terms",
            Family::Obstruct => "obstruct",
            Family::Privacy => "privacy",
            Family::Coerce => "coerce",
            Family::Citation => "citation",
        }
    }

    /// The Chinese name printed in reports.
    pub fn chinese(self) -> &'static str {
        match self {
            Family::Insult => "侮辱贬损",
            Family::Threat => "威胁恐吓",
            Family::Stall => "拖延推诿",
            Family::Refuse => "拒绝履责",
            Family::Conceal => "隐瞒误导",
            Family::UnfairTerms => "不公平格式条款",
            Family::Obstruct => "阻碍维权",
            Family::Privacy => "侵害个人信息",
            Family::Coerce => "强制交易",
            Family::Citation => "法条引用错误",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Family {
    type Err = ();

    fn from_str(word: &str) -> Result<Family, ()> {
        Family::ALL.into_iter().find(|family| family.as_str() == word).ok_or(())
    }
}

/// How grave a finding is; the words of SARIF `level`, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look.
    Note,
    /// A probable breach.
    Warning,
    /// A clear breach.
    Error,
}

impl Severity {
    /// The stable English word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// The Chinese name printed in reports.
    pub fn chinese(self) -> &'static str {
        match self {
            Severity::Note => "提示",
            Severity::Warning => "警告",
            Severity::Error => "严重",
        }
    }
}

/// One exported row: a chat message or one recognised speech segment. Borrows from the export it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Who wrote or spoke it.
    pub role: SpeakerRole,
    /// The text exactly as exported; may be empty.
    pub text: &'a str,
    /// The agent's name or account as exported; empty where the export does not say.
    pub agent: &'a str,
    /// The time as exported; empty where the export does not say.
    pub time: &'a str,
    /// 1-based line of the source on which the row starts; 0 where there is no file.
    pub line: u64,
}

impl<'a> Turn<'a> {
    /// A turn with only a role and a text, as in examples and tests.
    pub fn new(role: SpeakerRole, text: &'a str) -> Turn<'a> {
        Turn { role, text, agent: "", time: "", line: 0 }
    }
}

/// One dialogue with an id. Turns are in exported order and numbered from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// The id as exported.
    pub id: &'a str,
    /// Where it was held.
    pub channel: Channel,
    /// The trade, as exported (电商, 银行 …); empty where the export does not say.
    pub industry: &'a str,
    /// The day that decides which version of the law applies; `None` where the export does not say.
    pub date: Option<Date>,
    /// The file it was read from; empty where there is none.
    pub path: &'a str,
    /// All rows, in exported order.
    pub turns: Vec<Turn<'a>>,
}

/// A rule's id, `family.kebab-name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RuleId(String);

impl From<RuleId> for String {
    fn from(id: RuleId) -> String {
        id.0
    }
}

impl TryFrom<String> for RuleId {
    type Error = String;

    fn try_from(id: String) -> Result<RuleId, String> {
        RuleId::new(&id)
    }
}

impl RuleId {
    /// Checks the form `family.kebab-name` (lower-case ASCII letters, digits and single hyphens).
    ///
    /// # Errors
    /// A sentence that says what is wrong with the id.
    ///
    /// ```
    /// use zhijian::model::{Family, RuleId};
    /// assert_eq!(RuleId::new("stall.no-deadline").unwrap().family(), Family::Stall);
    /// assert!(RuleId::new("stall.No_Deadline").is_err());
    /// ```
    pub fn new(id: &str) -> Result<RuleId, String> {
        let Some((family, name)) = id.split_once('.') else {
            return Err(format!("rule id '{id}' is not of the form family.kebab-name"));
        };
        if family.parse::<Family>().is_err() {
            return Err(format!("'{family}' is not a family"));
        }
        let kebab = !name.is_empty()
            && name
                .split('-')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        if !kebab {
            return Err(format!("'{name}' is not kebab-case (lower-case ASCII letters, digits, single hyphens)"));
        }
        Ok(RuleId(id.to_owned()))
    }

    /// The family the id starts with.
    pub fn family(&self) -> Family {
        let family = self.0.split('.').next().expect("split yields at least one part");
        family.parse().expect("checked when the id was made")
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An article, paragraph and item of a law: `消法 56(1)(8)` is article 56, paragraph (款) 1, item (项) 8; `刑法 293之一`
/// is article 293 bis.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatuteRef {
    /// The law's name or an abbreviation of it, as written.
    pub law: String,
    /// The article (条).
    pub article: Article,
    /// The paragraph (款), from 1.
    pub paragraph: Option<u8>,
    /// The item (项), from 1.
    pub item: Option<u8>,
}

/// An article number: 条, and the 之 number where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Article {
    /// 第N条
    pub number: u16,
    /// 之M; 0 where there is none.
    pub branch: u8,
}

const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// Writes 1 to 9999 in Chinese numerals, as statutes do (`一百零三`).
pub fn chinese_number(n: u16) -> String {
    let mut out = String::new();
    let mut pending_zero = false;
    for (value, unit) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = usize::from(n / value % 10);
        if digit == 0 {
            pending_zero = !out.is_empty();
            continue;
        }
        if pending_zero {
            out.push('零');
            pending_zero = false;
        }
        if !(value == 10 && digit == 1 && out.is_empty()) {
            out.push_str(DIGITS[digit]);
        }
        out.push_str(unit);
    }
    out
}

/// Reads Chinese numerals (`二十四`, `一百零三`, `〇` as zero); `None` for anything else.
pub fn parse_chinese_number(text: &str) -> Option<u16> {
    let (mut total, mut current, mut any) = (0u32, 0u32, false);
    for c in text.chars() {
        any = true;
        let unit = match c {
            '零' | '〇' => continue,
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            _ => {
                let digit = DIGITS.iter().position(|d| d.starts_with(c))?;
                current = u32::try_from(digit).ok()?;
                continue;
            }
        };
        total = total.checked_add(current.max(1) * unit)?;
        current = 0;
    }
    any.then(|| u16::try_from(total + current).ok()).flatten()
}

impl FromStr for Article {
    type Err = ();

    fn from_str(text: &str) -> Result<Article, ()> {
        let (number, branch) = match text.split_once('之') {
            Some((number, branch)) => {
                (number, parse_chinese_number(branch).and_then(|b| u8::try_from(b).ok()).ok_or(())?)
            }
            None => (text, 0),
        };
        match number.parse() {
            Ok(number) if number > 0 => Ok(Article { number, branch }),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        if self.branch > 0 {
            write!(f, "之{}", chinese_number(u16::from(self.branch)))?;
        }
        Ok(())
    }
}

impl FromStr for StatuteRef {
    type Err = String;

    fn from_str(text: &str) -> Result<StatuteRef, String> {
        let malformed = || format!("'{text}' is not of the form 'law article(paragraph)(item)'");
        let (law, place) = text.trim().rsplit_once(' ').ok_or_else(malformed)?;
        let (article, parts) = match place.find('(') {
            Some(at) => place.split_at(at),
            None => (place, ""),
        };
        let article = article.parse().map_err(|()| malformed())?;
        let (paragraph, item) = parse_part(parts).ok_or_else(malformed)?;
        Ok(StatuteRef { law: law.trim().to_owned(), article, paragraph, item })
    }
}

/// Reads `(1)(8)` → paragraph 1, item 8; `(1)` → paragraph 1; the empty string → neither.
pub fn parse_part(text: &str) -> Option<(Option<u8>, Option<u8>)> {
    let mut numbers = [None; 2];
    let mut rest = text;
    for slot in &mut numbers {
        if rest.is_empty() {
            break;
        }
        let (number, after) = rest.strip_prefix('(')?.split_once(')')?;
        *slot = Some(number.parse().ok().filter(|n| *n > 0)?);
        rest = after;
    }
    rest.is_empty().then_some((numbers[0], numbers[1]))
}

impl fmt::Display for StatuteRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.law, self.article)?;
        for part in [self.paragraph, self.item].into_iter().flatten() {
            write!(f, "({part})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_numbers_round_trip() {
        for n in 1..=2000 {
            assert_eq!(parse_chinese_number(&chinese_number(n)), Some(n), "{}", chinese_number(n));
        }
        assert_eq!(chinese_number(10), "十");
        assert_eq!(chinese_number(103), "一百零三");
        assert_eq!(chinese_number(1010), "一千零一十");
        assert_eq!(parse_chinese_number("一二三x"), None);
    }

    #[test]
    fn statute_references_round_trip() {
        for text in ["消法 27", "消法 56(1)(8)", "刑法 293之一", "刑法 293之一(1)(2)"] {
            assert_eq!(text.parse::<StatuteRef>().expect("well formed").to_string(), text);
        }
        for text in ["消法", "消法 0", "消法 5(0)", "消法 5(1)(2)(3)", "消法 5(1"] {
            assert!(text.parse::<StatuteRef>().is_err(), "{text}");
        }
    }
}
