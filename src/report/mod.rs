//! Findings → bytes.

pub mod citations;
pub mod csv;
pub mod day;
pub mod html;
pub mod jsonl;
pub mod manifest;
pub mod mask;
pub mod privacy;
pub mod sarif;
pub mod statistics;
pub mod summary;
pub mod table;
pub mod text;
pub mod time;
pub mod workbook;

use std::io;

pub use privacy::Privacy;

use crate::model::Conversation;
use crate::statutes::Finding;

/// The language of headers and labels; findings themselves are Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 中文
    #[default]
    Chinese,
    /// English
    English,
}

/// Writes findings in one form. Called in input order.
pub trait Reporter {
    /// What stands before the first finding, written also when there is none.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// One finding and the conversation it is about.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finding(&mut self, finding: &Finding, conversation: &Conversation<'_>) -> io::Result<()>;

    /// What stands after the last finding.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn end(&mut self) -> io::Result<()>;
}
