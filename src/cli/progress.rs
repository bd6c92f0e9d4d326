//! A progress bar on a terminal; nothing in pipes.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `length` steps, drawn on standard error when that is a terminal.
pub fn bar(length: u64, what: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {elapsed}/{duration}");
    ProgressBar::new(length).with_style(style.expect("the template is well formed")).with_message(what)
}
