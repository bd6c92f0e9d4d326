//! An offline checker for Chinese customer-service transcripts.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod engine;
pub mod error;
pub mod lexicon;
pub mod model;
pub mod span;
pub mod statutes;
pub mod text;
