#![doc = include_str!("../docs/library.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod checker;
pub mod citation;
pub mod cli;
pub mod config;
pub mod engine;
pub mod error;
pub mod evaluation;
pub mod fit;
pub mod input;
pub mod lexicon;
pub mod lint;
pub mod model;
pub mod report;
pub mod review;
pub mod span;
pub mod statutes;
pub mod text;
pub mod timings;

pub use checker::Checker;
pub use model::{Conversation, SpeakerRole, Turn};
pub use statutes::Finding;
