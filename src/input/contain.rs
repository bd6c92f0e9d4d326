//! Panics of other people's decoders on damaged files become messages: the reader of old .xls files, for one, panics on files
//! that are cut. Only their calls are wrapped, never our own code.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread, now, is caught and said as a message; a panic hook need not say it, too.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Calls a decoder.
///
/// # Errors
/// When it panics. What it was working on is not to be used again.
pub(super) fn contain<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    let before = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(act));
    CONTAINED.set(before);
    result.map_err(|_| "the file is damaged".to_owned())
}
