//! Rule files → [`RuleSet`]: compiled once, immutable, shared by all threads.
//!
//! `source` finds the files, `rule` gives their typed form, `pattern` reads the phrase syntax, `compile` brings
//! them together, `index` finds what may match, `cache` remembers the result
//! for the next start, `cues` weighs what no phrase foresees, `check` looks for what is well formed but surely not meant.

pub mod cache;
pub mod check;
pub mod compile;
pub mod cues;
pub mod index;
pub mod pattern;
pub mod rule;
pub mod source;

pub use compile::{Condition, Dialogue, LiteralId, PatternId, Rule, RuleIndex, RuleSet, SetId};
pub use rule::{Example, Scope};
pub use source::Sources;
