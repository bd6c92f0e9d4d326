//! What the words in a role column mean.

use std::collections::HashMap;

use glob::Pattern;

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
            "服务方",
            "商户",
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
            "系统通知",
            "系统提示",
        ],
    ),
];

/// What stands between the name of a shop and that of its agent: `栗屿家居旗舰店:小满`.
const SHOPS: [&str; 6] = ["旗舰店:", "专卖店:", "专营店:", "企业店:", "官方店:", "店铺:"];
/// Characters of a name behind a role word: `客服小王` is an agent, `客服都是骗子吗` a nickname.
const LONGEST_SUFFIX: usize = 4;

/// The known role words, those of the user, and the names that are agents.
#[derive(Debug, Clone)]
pub struct RoleWords {
    words: HashMap<String, SpeakerRole>,
    given: HashMap<String, SpeakerRole>,
    agents: Vec<Pattern>,
}

impl Default for RoleWords {
    fn default() -> RoleWords {
        let words = WORDS.iter().flat_map(|(role, words)| words.iter().map(|word| ((*word).to_owned(), *role)));
        RoleWords { words: words.collect(), given: HashMap::new(), agents: Vec::new() }
    }
}

impl RoleWords {
    /// Adds `agent=商家,customer=会员`; a word may be given again to mean something else. Recognised speech has numbers for
    /// words: `agent=1,customer=0`, and `-` where it does not tell speakers apart.
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
            self.words.insert(word.trim().to_lowercase(), role);
            self.given.insert(word.trim().to_lowercase(), role);
        }
        Ok(())
    }

    /// Adds names of agents, as `小满,栗屿*`; `*` stands for anything.
    ///
    /// # Errors
    /// A sentence that says what is wrong with `text`.
    pub fn add_agents(&mut self, text: &str) -> Result<(), String> {
        for name in text.split([',', '，']).map(str::trim).filter(|name| !name.is_empty()) {
            self.agents.push(Pattern::new(name).map_err(|error| format!("'{name}': {error}"))?);
        }
        Ok(())
    }

    /// What `word` means; [`SpeakerRole::Unknown`] when it is not known.
    pub fn role(&self, word: &str) -> SpeakerRole {
        let known = self.words.get(word).or_else(|| self.words.get(word.trim().to_lowercase().as_str()));
        known.copied().unwrap_or(SpeakerRole::Unknown)
    }

    /// What the number of a speaker means: only the user can say.
    pub fn speaker(&self, number: &str) -> SpeakerRole {
        self.given.get(number.trim().to_lowercase().as_str()).copied().unwrap_or(SpeakerRole::Unknown)
    }

    /// What a speaker's name tells: a role word alone or before a short name, a name given as an agent's, or an account of
    /// a shop.
    ///
    /// ```
    /// use zhijian::{SpeakerRole, input::RoleWords};
    /// let mut words = RoleWords::default();
    /// words.add_agents("小满*").unwrap();
    /// assert_eq!(words.name("小满01"), SpeakerRole::Agent);
    /// assert_eq!(words.name("栗屿家居旗舰店:小雨"), SpeakerRole::Agent);
    /// assert_eq!(words.name("客服小王"), SpeakerRole::Agent);
    /// assert_eq!(words.name("tb_1024"), SpeakerRole::Unknown);
    /// ```
    pub fn name(&self, name: &str) -> SpeakerRole {
        let name = name.trim();
        if self.agents.iter().any(|pattern| pattern.matches(name)) {
            return SpeakerRole::Agent;
        }
        let role = self.role(name);
        if role != SpeakerRole::Unknown {
            return role;
        }
        let plain = name.replace('：', ":");
        if SHOPS.iter().any(|shop| plain.contains(shop)) {
            return SpeakerRole::Agent;
        }
        let before = |word: &str| {
            let rest = name.strip_prefix(word)?;
            (rest.chars().count() <= LONGEST_SUFFIX && !word.is_ascii()).then_some(())
        };
        let words = WORDS.iter().flat_map(|(role, words)| words.iter().map(move |word| (*role, *word)));
        words.clone().find(|(_, word)| before(word).is_some()).map_or(SpeakerRole::Unknown, |(role, _)| role)
    }
}
