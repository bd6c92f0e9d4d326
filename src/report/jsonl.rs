//! The finding record, one a line: UTF-8, LF. The fields are those of [`Finding`]; the places are those of the original
//! text also where what was matched is masked.

use std::io::{self, Write};

use crate::model::Conversation;
use crate::report::{Privacy, Reporter};
use crate::statutes::Finding;

/// Writes JSON Lines.
#[derive(Debug)]
pub struct JsonlReporter<W: Write> {
    out: W,
    privacy: Privacy,
}

impl<W: Write> JsonlReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W, privacy: Privacy) -> JsonlReporter<W> {
        JsonlReporter { out, privacy }
    }
}

impl<W: Write> Reporter for JsonlReporter<W> {
    fn finding(&mut self, finding: &Finding, conversation: &Conversation<'_>) -> io::Result<()> {
        let (agent, matched) = (self.privacy.agent(&finding.agent), self.privacy.matched(finding, conversation));
        if agent == finding.agent && matched == finding.matched {
            serde_json::to_writer(&mut self.out, finding)?;
        } else {
            let shown = Finding { agent: agent.into_owned(), matched: matched.into_owned(), ..finding.clone() };
            serde_json::to_writer(&mut self.out, &shown)?;
        }
        self.out.write_all(b"\n")
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
