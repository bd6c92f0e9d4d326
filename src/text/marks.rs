//! Clauses, sentences, quotations and numbers of a text, told by its marks. The same on a text and on its plain view,
//! whose punctuation is of another width.

use crate::span::Span;
use crate::text::normalize::ends_clause;

/// Particles that may stand between the end of a phrase and the end of its clause: they soften, they say nothing.
pub const PARTICLES: &str = "的了呢哦哈呀啊吧嘛哟呦喔噢哒啦亲耶滴噻咯呗哇嗯哎唉诶";

/// Han characters that write numbers.
pub const NUMERALS: &str = "零〇一二两三四五六七八九十百千万半";
/// The longest placeholder, as `[数字x]`, in bytes.
const MAX_PLACEHOLDER: usize = 24;

/// The mark of ordinary width that normalisation makes of a full-width one; any other character stays.
pub fn half_width(c: char) -> char {
    match c {
        '！' => '!',
        '（' => '(',
        '）' => ')',
        '，' => ',',
        '：' => ':',
        '；' => ';',
        '？' => '?',
        '～' => '~',
        '…' => '.',
        other => other,
    }
}

/// Whether a sentence ends with `c`; chats use `~` as a full stop.
pub fn ends_sentence(c: char) -> bool {
    matches!(half_width(c), '。' | '!' | '?' | ';' | '\n' | '\r' | '~')
}

/// The parts of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaks {
    clauses: Vec<Span>,
    sentences: Vec<Span>,
    quotes: Vec<Span>,
}

impl Breaks {
    /// Finds the parts of `text`.
    pub fn of(text: &str) -> Breaks {
        let mut breaks = Breaks::default();
        breaks.read(text);
        breaks
    }

    /// Like [`of`](Self::of), in place.
    pub fn read(&mut self, text: &str) {
        self.clauses.clear();
        self.sentences.clear();
        self.quotes.clear();
        let (mut clause, mut sentence) = (0, 0);
        let mut open: Option<(usize, char)> = None;
        for (at, c) in text.char_indices() {
            // Most characters are none of the marks.
            if ('\u{3400}'..='\u{9fff}').contains(&c) || c.is_ascii_alphanumeric() {
                continue;
            }
            let after = at + c.len_utf8();
            let beside = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)) == Some(&b'.');
            let dots = c == '…' || c == '.' && (beside(at.checked_sub(1)) || beside(Some(after)));
            if ends_clause(c) || dots {
                self.clauses.push(clause..at);
                clause = after;
            }
            if ends_sentence(c) {
                self.sentences.push(sentence..at);
                sentence = after;
            }
            match (open, c) {
                (Some((start, close)), c) if c == close => {
                    self.quotes.push(start..at);
                    open = None;
                }
                (None, '“') => open = Some((after, '”')),
                (None, '‘') => open = Some((after, '’')),
                (None, '「') => open = Some((after, '」')),
                (None, '『') => open = Some((after, '』')),
                (None, '"') => open = Some((after, '"')),
                _ => {}
            }
        }
        self.clauses.push(clause..text.len());
        self.sentences.push(sentence..text.len());
    }

    /// The clause that `span` begins in to the clause that it ends in.
    pub fn clause(&self, span: &Span) -> Span {
        enclosing(&self.clauses, span)
    }

    /// The sentence that `span` begins in to the sentence that it ends in.
    pub fn sentence(&self, span: &Span) -> Span {
        enclosing(&self.sentences, span)
    }

    /// Whether `span` stands inside quotation marks.
    pub fn quoted(&self, span: &Span) -> bool {
        self.quotes.iter().any(|quote| quote.start <= span.start && span.end <= quote.end)
    }

    /// Where the clause ends that `at` stands in.
    pub fn clause_end(&self, at: usize) -> usize {
        end_of_part(&self.clauses, at)
    }

    /// The first byte from which a clause reaches to `at`.
    pub fn clause_start(&self, at: usize) -> usize {
        start_of_part(&self.clauses, at)
    }

    /// The first byte from which a sentence reaches to `at`.
    pub fn sentence_start(&self, at: usize) -> usize {
        start_of_part(&self.sentences, at)
    }

    /// Where the sentence ends that `at` stands in.
    pub fn sentence_end(&self, at: usize) -> usize {
        end_of_part(&self.sentences, at)
    }
}

fn end_of_part(parts: &[Span], at: usize) -> usize {
    parts.get(parts.partition_point(|part| part.end < at)).map_or(at, |part| part.end)
}

fn start_of_part(parts: &[Span], at: usize) -> usize {
    let before = parts.partition_point(|part| part.end < at).checked_sub(1);
    before.map_or(0, |before| parts[before].end + 1)
}

fn enclosing(parts: &[Span], span: &Span) -> Span {
    let first = parts.partition_point(|part| part.end < span.start).min(parts.len() - 1);
    let last = parts.partition_point(|part| part.end < span.end).min(parts.len() - 1);
    parts[first].start.min(span.start)..parts[last].end.max(span.end)
}

/// Whether a clause can begin at byte `at`.
pub fn clause_begins(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|c| ends_clause(c) || half_width(c) == '.')
}

/// Whether nothing is said before byte `at`.
pub fn turn_begins(text: &str, at: usize) -> bool {
    text[..at].chars().all(|c| !c.is_alphanumeric() || PARTICLES.contains(c))
}

/// Whether the clause of what ends at byte `at` ends there, particles aside.
pub fn clause_closes(text: &str, at: usize) -> bool {
    let after = text[at..].trim_start_matches(|c| PARTICLES.contains(c)).chars().next();
    after.is_none_or(|c| ends_clause(c) || matches!(half_width(c), '.' | ')' | '”' | '"'))
}

/// Whether nothing is said from byte `at` on, particles aside.
pub fn turn_closes(text: &str, at: usize) -> bool {
    text[at..].chars().all(|c| !c.is_alphanumeric() || PARTICLES.contains(c))
}

/// Runs of digits or numerals, and the placeholders that stand for them in anonymised exports; in order.
pub fn numbers(text: &str, spans: &mut Vec<Span>) {
    spans.clear();
    let mut start: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let inner = matches!(half_width(c), ':' | '.') && chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if is_digit(c) || (start.is_some() && inner && c != '…') {
            start.get_or_insert(at);
            continue;
        }
        spans.extend(start.take().map(|start| start..at));
        if c == '['
            && let Some(length) = text.as_bytes()[at..].iter().take(MAX_PLACEHOLDER + 1).position(|byte| *byte == b']')
        {
            spans.push(at..at + length + 1);
        }
    }
    spans.extend(start.map(|start| start..text.len()));
    spans.sort_unstable_by_key(|span| span.start);
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || NUMERALS.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize::plain_text;

    #[test]
    fn parts_do_not_depend_on_the_width_of_the_marks() {
        for text in ["退不了，亲……真的！（试过）“不行”：再说", "12：30前，3.5元；[数字x]个～好"]
        {
            let plain = plain_text(text);
            let said = |text: &str, spans: &[Span]| -> Vec<String> {
                let parts = spans.iter().map(|span| plain_text(&text[span.clone()]));
                parts.filter(|part| !part.is_empty() && part != ".").collect()
            };
            let (wide, narrow) = (Breaks::of(text), Breaks::of(&plain));
            assert_eq!(said(text, &wide.clauses), said(&plain, &narrow.clauses), "{text}");
            assert_eq!(said(text, &wide.sentences), said(&plain, &narrow.sentences), "{text}");
            assert_eq!(said(text, &wide.quotes), said(&plain, &narrow.quotes), "{text}");
            let (mut one, mut two) = (Vec::new(), Vec::new());
            numbers(text, &mut one);
            numbers(&plain, &mut two);
            assert_eq!(said(text, &one), said(&plain, &two), "{text}");
        }
    }

    #[test]
    fn numbers_are_runs_with_their_inner_marks() {
        let mut spans = Vec::new();
        let text = "3.5元，12:30到，[数字x]天，三十天。";
        numbers(text, &mut spans);
        let found: Vec<&str> = spans.iter().map(|span| &text[span.clone()]).collect();
        assert_eq!(found, ["3.5", "12:30", "[数字x]", "三十"]);
    }
}
