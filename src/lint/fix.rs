//! Safe replacements: what rules carry word for word, and citations of which only one article took the place.

use std::fs;
use std::io;
use std::path::Path;

use encoding_rs::GB18030;
use similar::TextDiff;

use crate::citation::document::decode;
use crate::citation::{CitationFinding, Reason, Verdict};
use crate::lexicon::Rule;
use crate::lint::issue::Replacement;
use crate::span::Span;

/// Whether `text` means the same in every form a script can have: no character that any of them takes for markup.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || (c.is_ascii_punctuation() && !matches!(c, '(' | ')' | '.' | '-' | '/')))
}

/// The replacement that `rule` carries for what it found at `span` of `text`: the longest of its phrases that stands
/// there, and what to put in its place.
pub fn of_rule<'r>(rule: &'r Rule, text: &str, span: &Span) -> Option<(Span, &'r str)> {
    let mut best: Option<(Span, &str)> = None;
    for (phrase, replacement) in &rule.replace {
        let places = text.match_indices(phrase.as_str()).map(|(at, _)| at..at + phrase.len());
        for place in places.filter(|place| place.start < span.end && span.start < place.end) {
            if best.as_ref().is_none_or(|(other, _)| other.len() < place.len()) && is_plain(replacement) {
                best = Some((place, replacement));
            }
        }
    }
    best
}

/// The article to cite instead: only where the citation's law or number has one successor that says the same.
pub fn of_citation(cited: &CitationFinding) -> Option<&str> {
    let moved = matches!(cited.verdicts[..], [Verdict::Repealed] | [Verdict::Renumbered]);
    match &cited.suggestions[..] {
        [one] if moved && cited.verified && one.reason == Reason::Successor && !one.place.is_empty() => {
            Some(one.label.as_str()).filter(|label| is_plain(label))
        }
        _ => None,
    }
}

/// A file and what it should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    before: String,
    after: String,
    bytes: Vec<u8>,
    /// How many replacements were made.
    pub count: usize,
}

/// Applies `replacements` to the file. Of two that overlap the first is made. `None` where there is nothing to do.
///
/// # Errors
/// When the file cannot be read, has changed since it was linted, or is in an encoding that cannot be written.
pub fn fix(path: &Path, replacements: &[&Replacement]) -> io::Result<Option<Fixed>> {
    let bytes = fs::read(path)?;
    let (before, _) = decode(&bytes);
    let mut wanted: Vec<&Replacement> = replacements.to_vec();
    wanted.sort_by_key(|replacement| (replacement.span.start, replacement.span.end));
    let (mut after, mut copied, mut count) = (String::with_capacity(before.len()), 0, 0);
    for replacement in wanted {
        let Span { start, end } = replacement.span;
        if start < copied {
            continue;
        }
        let changed = || io::Error::new(io::ErrorKind::InvalidData, "the file changed while it was linted");
        after.push_str(before.get(copied..start).ok_or_else(changed)?);
        after.push_str(&replacement.text);
        before.get(start..end).ok_or_else(changed)?;
        (copied, count) = (end, count + 1);
    }
    after.push_str(&before[copied..]);
    if count == 0 || after == before {
        return Ok(None);
    }
    let encode = |text: &str| -> Vec<u8> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return [b"\xef\xbb\xbf", text.as_bytes()].concat();
        }
        if std::str::from_utf8(&bytes).is_ok() { text.as_bytes().to_vec() } else { GB18030.encode(text).0.into_owned() }
    };
    if encode(&before) != bytes {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "cannot be written in its encoding; save it as UTF-8"));
    }
    let bytes = encode(&after);
    Ok(Some(Fixed { before, after, bytes, count }))
}

impl Fixed {
    /// Writes the file: under another name first, so that it is never half written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        fs::write(&partial, &self.bytes)?;
        fs::set_permissions(&partial, fs::metadata(path)?.permissions())?;
        fs::rename(&partial, path)
    }

    /// The change as a unified diff of the file called `name`.
    pub fn diff(&self, name: &str) -> String {
        let diff = TextDiff::from_lines(&self.before, &self.after);
        diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
    }
}
