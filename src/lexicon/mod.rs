//! Rule files → [`RuleSet`]: compiled once, immutable, shared by all threads.
//!
//! `source` finds the files, `rule` gives their typed form, `pattern` reads the phrase syntax, `compile` builds the
//! automata, `check` looks for what is well formed but surely not meant.

pub mod check;
pub mod compile;
mod filter;
pub mod pattern;
pub mod rule;
pub mod source;

pub use compile::{Condition, Dialogue, LiteralId, PatternId, Rule, RuleIndex, RuleSet, SetId};
pub use rule::{Example, Scope};
pub use source::Sources;
