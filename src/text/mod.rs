//! The views of a turn: each keeps its alignment to the original, so that hits are reported where they stand.

pub mod marks;
pub mod normalize;
pub mod segment;

pub use normalize::{Traits, View, ViewText, fold_into, gate_text, traits};
pub use segment::{Segmenter, Words};
