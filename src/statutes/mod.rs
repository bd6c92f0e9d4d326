//! The law as dated data: flags → findings, with the articles in force on the day of the conversation.

pub mod base;
pub mod finding;
pub mod law;
pub mod search;
pub mod texts;

pub use base::{Cited, StatuteBase};
pub use finding::{Finding, FindingSource, FindingStatute};
pub use law::{ArticleEntry, Coverage, Law, Liability, Version};
