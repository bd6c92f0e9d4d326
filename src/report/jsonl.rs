//! The finding record, one a line: UTF-8, LF. The fields are those of [`Finding`].

use std::io::{self, Write};

use crate::model::Conversation;
use crate::report::Reporter;
use crate::statutes::Finding;

/// Writes JSON Lines.
#[derive(Debug)]
pub struct JsonlReporter<W: Write>(pub W);

impl<W: Write> Reporter for JsonlReporter<W> {
    fn finding(&mut self, finding: &Finding, _: &Conversation<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, finding)?;
        self.0.write_all(b"\n")
    }

    fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
