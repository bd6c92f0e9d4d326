//! What a report may show of people: one decision, asked by every output.

use std::borrow::Cow;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::{Conversation, SpeakerRole};
use crate::report::mask::{mask_account, mask_also};
use crate::statutes::Finding;

/// The shortest key in bytes: with a shorter one pseudonyms could be guessed by trying keys.
pub const MINIMUM_KEY: usize = 16;

/// What a report may show. The default hides customers' personal data and shows agents' names.
#[derive(Debug, Clone, Default)]
pub struct Privacy {
    unmasked: bool,
    key: Option<Arc<[u8]>>,
}

impl Privacy {
    /// Hides personal data unless `unmasked`; with a key agents' names are replaced by pseudonyms.
    ///
    /// # Errors
    /// When the key has fewer than [`MINIMUM_KEY`] bytes.
    pub fn new(unmasked: bool, key: Option<&[u8]>) -> Result<Privacy, String> {
        if key.is_some_and(|key| key.len() < MINIMUM_KEY) {
            return Err(format!("the key is shorter than {MINIMUM_KEY} bytes"));
        }
        Ok(Privacy { unmasked, key: key.map(Arc::from) })
    }

    /// Whether personal data is hidden.
    pub fn masks(&self) -> bool {
        !self.unmasked
    }

    /// Whether agents' names are replaced.
    pub fn pseudonymises(&self) -> bool {
        self.key.is_some()
    }

    /// A text of `conversation` as it may be shown. It has as many characters as `text`.
    pub fn text<'t>(&self, text: &'t str, conversation: &Conversation<'_>) -> Cow<'t, str> {
        let agents = if self.key.is_some() { agents(conversation) } else { Vec::new() };
        self.text_of(text, &agents)
    }

    /// Like [`text`](Self::text) with the agents of the conversation at hand.
    pub(super) fn text_of<'t>(&self, text: &'t str, agents: &[&str]) -> Cow<'t, str> {
        let agents = if self.key.is_some() { agents } else { &[] };
        if !self.unmasked {
            return mask_also(text, agents);
        }
        let hidden = |name: &str| "*".repeat(name.chars().count());
        agents.iter().fold(Cow::Borrowed(text), |text, name| match text.contains(name) {
            true => Cow::Owned(text.replace(name, &hidden(name))),
            false => text,
        })
    }

    /// An agent's name as it may be shown: as it is, or `坐席-` and ten hexadecimal digits of the keyed hash
    /// (HMAC-SHA-256) of it. The same key gives the same pseudonym. An account that is a phone
    /// number or a mail address is masked.
    pub fn agent<'t>(&self, name: &'t str) -> Cow<'t, str> {
        match &self.key {
            _ if name.is_empty() => Cow::Borrowed(""),
            Some(key) => {
                let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
                mac.update(name.as_bytes());
                let hash = mac.finalize().into_bytes();
                Cow::Owned(format!("坐席-{}", hex(&hash[..5])))
            }
            None if self.unmasked => Cow::Borrowed(name),
            None => mask_account(name),
        }
    }

    /// What a finding matched, as it may be shown.
    pub fn matched<'f>(&self, finding: &'f Finding, conversation: &Conversation<'_>) -> Cow<'f, str> {
        let (Some(turn), Some(start), Some(end)) = (finding.turn, finding.start, finding.end) else {
            return Cow::Borrowed(&finding.matched);
        };
        // A number may reach beyond the hit: the whole turn is masked and the hit cut out of it.
        match conversation.turns.get(turn).map(|turn| self.text(turn.text, conversation)) {
            Some(Cow::Owned(text)) => Cow::Owned(text.chars().skip(start).take(end.saturating_sub(start)).collect()),
            _ => Cow::Borrowed(&finding.matched),
        }
    }
}

/// The agents of a conversation, each once, in the order of their first turn.
pub(super) fn agents<'c>(conversation: &Conversation<'c>) -> Vec<&'c str> {
    let mut agents: Vec<&str> = Vec::new();
    for turn in &conversation.turns {
        if turn.role == SpeakerRole::Agent && !turn.agent.is_empty() && !agents.contains(&turn.agent) {
            agents.push(turn.agent);
        }
    }
    agents
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Turn};

    #[test]
    fn pseudonyms_depend_on_the_key_and_names_go_from_the_text() {
        let key = |byte: u8| Privacy::new(false, Some(&[byte; 16])).expect("long enough");
        assert_eq!(key(1).agent("小满"), key(1).agent("小满"));
        assert_ne!(key(1).agent("小满"), key(2).agent("小满"));
        assert!(Privacy::new(false, Some(b"short")).is_err());
        let turn = Turn { agent: "小满", ..Turn::new(SpeakerRole::Agent, "我是小满，电话13800001234") };
        let conversation =
            Conversation { id: "a", channel: Channel::Chat, industry: "", date: None, path: "", turns: vec![turn] };
        assert_eq!(key(1).text(turn.text, &conversation), "我是**，电话138******34");
        assert_eq!(Privacy::default().text(turn.text, &conversation), "我是小满，电话138******34");
        let open = Privacy::new(true, Some(&[1; 16])).expect("long enough");
        assert_eq!(open.text(turn.text, &conversation), "我是**，电话13800001234");
    }
}
