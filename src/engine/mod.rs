//! [`RuleSet`](crate::lexicon::RuleSet) + conversation → flags, in two stages: a gate that looks at every turn once, and
//! a full evaluation of the few turns that pass it.

pub mod analysis;
mod context;
pub mod cues;
mod dialogue;
mod memory;
pub mod scanner;
pub mod selftest;

pub use scanner::{Flag, MAX_TURNS, Mode, Scan, Scanner};
