//! Where decoded text stands in its source: escapes, doubled quotes, folded lines and markup left out.

use crate::span::Span;

/// How the source of a value differs from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Syntax {
    /// `\n`, `\u9000` and a backslash at the end of a line mean something else.
    pub escapes: bool,
    /// This character stands twice for itself.
    pub doubled: Option<char>,
}

/// A piece of text and the piece of the source it was decoded from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: Span,
    source: Span,
    /// They match byte for byte; others only as a whole.
    same: bool,
}

/// Byte ranges of a text → byte ranges of its source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alignment(Vec<Piece>);

impl Alignment {
    /// Adds the next piece of the text, which reaches from where the last one ended to `end`.
    pub fn push(&mut self, end: usize, source: Span) {
        let start = self.0.last().map_or(0, |piece| piece.text.end);
        if let Some(last) = self.0.last_mut()
            && last.same
            && last.source.end == source.start
            && end - start == source.len()
        {
            (last.text.end, last.source.end) = (end, source.end);
            return;
        }
        let same = end - start == source.len();
        self.0.push(Piece { text: start..end, source, same });
    }

    /// Adds a last piece, up to `end`, of which no more is known than the piece of the source that it comes from.
    fn push_whole(&mut self, end: usize, source: Span) {
        let start = self.0.last().map_or(0, |piece| piece.text.end);
        self.0.push(Piece { text: start..end, source, same: false });
    }

    /// The range of the source that `span` of the text was decoded from: no wider than needed, and on character
    /// boundaries where `span` is.
    pub fn source(&self, span: &Span) -> Span {
        let start = self.bound(span.start, |piece, at| at < piece.text.end, |source| source.start);
        let end = self.bound(span.end, |piece, at| at <= piece.text.end, |source| source.end);
        start..end.max(start)
    }

    fn bound(&self, at: usize, reaches: impl Fn(&Piece, usize) -> bool, whole: impl Fn(&Span) -> usize) -> usize {
        let found = self.0.iter().find(|piece| reaches(piece, at)).or(self.0.last());
        found.map_or(0, |piece| {
            if piece.same {
                piece.source.start + at.saturating_sub(piece.text.start).min(piece.source.len())
            } else {
                whole(&piece.source)
            }
        })
    }
}

/// Aligns `text` with `raw`, the bytes of the source from `base` on that it was decoded from. Where the two do not agree
/// the rest of the text stands for the rest of the source.
///
/// ```
/// use zhijian::lint::align::{Syntax, align};
/// let raw = r"退\u4e0d了";
/// let alignment = align("退不了", raw, 100, Syntax { escapes: true, doubled: None });
/// assert_eq!(alignment.source(&(3..6)), 103..109);
/// assert_eq!(alignment.source(&(6..9)), 109..112);
/// ```
pub fn align(text: &str, raw: &str, base: usize, syntax: Syntax) -> Alignment {
    let mut alignment = Alignment::default();
    let (mut at, mut from) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &raw[from..];
        let twice = syntax.doubled.filter(|quote| *quote == c).map(|quote| [quote, quote].iter().collect::<String>());
        let (end, width) = if syntax.escapes && rest.starts_with('\\') {
            match escape(rest) {
                Escape::Character(width) => (at + c.len_utf8(), width),
                Escape::Nothing(width) => {
                    from += width;
                    continue;
                }
            }
        } else if let Some(twice) = twice.filter(|twice| rest.starts_with(twice)) {
            (at + c.len_utf8(), twice.len())
        } else if rest.starts_with(c) {
            (at + c.len_utf8(), c.len_utf8())
        } else {
            let blank = rest.len() - rest.trim_start().len();
            if blank == 0 {
                alignment.push_whole(text.len(), base + from..base + raw.len());
                return alignment;
            }
            if !c.is_whitespace() {
                from += blank;
                continue;
            }
            (text.len() - text[at..].trim_start().len(), blank)
        };
        alignment.push(end, base + from..base + from + width);
        (at, from) = (end, from + width);
    }
    alignment
}

enum Escape {
    /// One character, written with so many bytes.
    Character(usize),
    /// A line that goes on: so many bytes stand for nothing.
    Nothing(usize),
}

fn escape(rest: &str) -> Escape {
    let after = &rest[1..];
    let continued = after.len() - after.trim_start_matches([' ', '\t']).len();
    if after[continued..].starts_with(['\n', '\r']) {
        return Escape::Nothing(1 + after.len() - after.trim_start().len());
    }
    let width = match after.chars().next() {
        Some('x') => 4,
        Some('u') => {
            let high = rest.get(2..6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
            let pair = high.is_some_and(|code| (0xd800..0xdc00).contains(&code)) && rest[6..].starts_with("\\u");
            if pair { 12 } else { 6 }
        }
        Some('U') => 10,
        Some(c) => 1 + c.len_utf8(),
        None => 1,
    };
    let width = width.min(rest.len());
    Escape::Character((width..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned<'r>(text: &str, raw: &'r str, syntax: Syntax, part: &str) -> &'r str {
        let at = text.find(part).expect("part of the text");
        &raw[align(text, raw, 0, syntax).source(&(at..at + part.len()))]
    }

    #[test]
    fn every_way_of_writing_is_traced_back() {
        let escapes = Syntax { escapes: true, doubled: None };
        assert_eq!(aligned("甲\n乙", r"甲\n乙", escapes, "\n"), r"\n");
        assert_eq!(aligned("a😊b", r"a\ud83d\ude0ab", escapes, "😊"), r"\ud83d\ude0a");
        assert_eq!(aligned("a😊b", r"a\U0001F60Ab", escapes, "b"), "b");
        assert_eq!(aligned("甲乙", "甲\\\n    乙", escapes, "乙"), "乙");
        let quotes = Syntax { escapes: false, doubled: Some('"') };
        assert_eq!(aligned("说\"不\"行", "说\"\"不\"\"行", quotes, "\"不"), "\"\"不");
        assert_eq!(aligned("甲 乙", "甲\r\n    乙", Syntax::default(), "乙"), "乙");
        assert_eq!(aligned("甲\n乙丙", "甲\n    乙丙", Syntax::default(), "乙"), "乙");
        assert_eq!(aligned("甲乙", "某某", Syntax::default(), "乙"), "某某", "no agreement: the whole source");
    }

    #[test]
    fn markup_left_out_is_not_part_of_what_stands_before_it() {
        let mut alignment = Alignment::default();
        alignment.push(3, 0..3);
        alignment.push(9, 5..11);
        assert_eq!(alignment.source(&(0..3)), 0..3);
        assert_eq!(alignment.source(&(3..9)), 5..11);
        assert_eq!(alignment.source(&(0..9)), 0..11);
    }

    proptest::proptest! {
        #[test]
        fn spans_lie_in_the_source(text in "[甲乙\\\\\"u9\n a]{0,12}", raw in "[甲乙\\\\\"u9\n a]{0,12}") {
            let alignment = align(&text, &raw, 0, Syntax { escapes: true, doubled: Some('"') });
            for (at, c) in text.char_indices() {
                let source = alignment.source(&(at..at + c.len_utf8()));
                proptest::prop_assert!(raw.get(source).is_some());
            }
        }
    }
}
