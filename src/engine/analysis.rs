//! One view of one turn, with everything patterns ask of it: hits, words, clauses, quotes. Computed when asked for.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::lexicon::pattern::{Edge, Gap};
use crate::lexicon::{LiteralId, PatternId, RuleSet, SetId};
use crate::span::Span;
use crate::text::normalize::{ends_clause, ends_sentence};
use crate::text::{ViewText, Words};

/// More literal hits than this in one turn are not looked at; the ledger says so.
pub const MAX_HITS: usize = 20_000;
/// More ends than this for one start of a pattern are not followed: no honest sentence has them.
const MAX_ENDS: usize = 64;

/// Particles that may stand between the end of a phrase and the end of its clause: they soften, they say nothing.
const PARTICLES: &str = "的了呢哦哈呀啊吧嘛哟呦喔噢哒啦亲耶滴噻咯呗哇嗯哎唉诶";

const NUMERALS: &str = "零〇一二两三四五六七八九十百千万半";

/// One view of one turn.
#[derive(Debug)]
pub struct Analysis<'r> {
    rules: &'r RuleSet,
    view: ViewText,
    hits: Vec<(LiteralId, Span)>,
    truncated: bool,
    /// One bit a pattern: whether the literals it cannot do without were found.
    active: Vec<u64>,
    words: OnceCell<Words>,
    breaks: OnceCell<Breaks>,
    numbers: OnceCell<Rc<[Span]>>,
    sets: RefCell<FxHashMap<SetId, Rc<[Span]>>>,
    matches: RefCell<FxHashMap<PatternId, Rc<[Span]>>>,
}

#[derive(Debug, Default)]
struct Breaks {
    clauses: Vec<Span>,
    sentences: Vec<Span>,
    quotes: Vec<Span>,
}

impl<'r> Analysis<'r> {
    /// Looks for every literal of the rule set in `view`; `by_sound` also for those that ask to be found by sound.
    pub fn new(rules: &'r RuleSet, view: ViewText, by_sound: bool) -> Analysis<'r> {
        let text = view.text();
        let mut hits = Vec::new();
        let found = rules.all().find_overlapping_iter(text).map(|m| (m.pattern().as_u32(), m.range()));
        hits.extend(found.filter(|(_, span)| stands_alone(text, span)).take(MAX_HITS + 1));
        if by_sound && let Some((automaton, ids)) = &rules.sound {
            // As many bytes as the plain view: a Han character and its stand-in both take three.
            let sound = view.sound();
            let heard = automaton.find_overlapping_iter(sound.text());
            hits.extend(heard.map(|m| (ids[m.pattern().as_usize()], m.range())).take(MAX_HITS + 1));
            hits.sort_by_key(|(literal, span)| (span.end, span.start, *literal));
            hits.dedup();
        }
        let truncated = hits.len() > MAX_HITS;
        hits.truncate(MAX_HITS);
        let active = active_patterns(rules, &hits);
        Analysis {
            rules,
            view,
            hits,
            truncated,
            active,
            words: OnceCell::new(),
            breaks: OnceCell::new(),
            numbers: OnceCell::new(),
            sets: RefCell::default(),
            matches: RefCell::default(),
        }
    }

    /// The text of the view and its alignment.
    pub fn view(&self) -> &ViewText {
        &self.view
    }

    /// Whether some hits were left out, see [`MAX_HITS`].
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    fn is_active(&self, pattern: PatternId) -> bool {
        self.active[pattern as usize / 64] & (1 << (pattern % 64)) != 0
    }

    /// The patterns that may match, ascending: those whose indispensable literals were found.
    pub fn active(&self) -> impl Iterator<Item = PatternId> + '_ {
        let bits = |(at, word): (usize, &u64)| {
            let (mut word, base) = (*word, at as PatternId * 64);
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.checked_sub(1)?;
                Some(base + bit)
            })
        };
        self.active.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(bits)
    }

    /// The word boundaries; segments the view when first called.
    pub fn words(&self) -> &Words {
        self.words.get_or_init(|| self.rules.segmenter.words(&self.view))
    }

    fn breaks(&self) -> &Breaks {
        self.breaks.get_or_init(|| {
            let text = self.view.text();
            let mut breaks = Breaks::default();
            let (mut clause, mut sentence) = (0, 0);
            let mut open: Option<(usize, char)> = None;
            let mut chars = text.char_indices().peekable();
            while let Some((at, c)) = chars.next() {
                let after = at + c.len_utf8();
                let dots = c == '.' && chars.peek().is_some_and(|(_, next)| *next == '.');
                if ends_clause(c) || dots {
                    breaks.clauses.push(clause..at);
                    clause = after;
                }
                if ends_sentence(c) {
                    breaks.sentences.push(sentence..at);
                    sentence = after;
                }
                match (open, c) {
                    (Some((start, close)), c) if c == close => {
                        breaks.quotes.push(start..at);
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
            breaks.clauses.push(clause..text.len());
            breaks.sentences.push(sentence..text.len());
            breaks
        })
    }

    /// The clause that `span` begins in to the clause that it ends in.
    pub fn clause(&self, span: &Span) -> Span {
        enclosing(&self.breaks().clauses, span)
    }

    /// The sentence that `span` begins in to the sentence that it ends in.
    pub fn sentence(&self, span: &Span) -> Span {
        enclosing(&self.breaks().sentences, span)
    }

    /// Whether `span` stands inside quotation marks.
    pub fn quoted(&self, span: &Span) -> bool {
        self.breaks().quotes.iter().any(|quote| quote.start <= span.start && span.end <= quote.end)
    }

    /// Every match of `pattern` that starts as early as it can for its end and ends as early as it can for its start,
    /// in order.
    pub fn matches(&self, pattern: PatternId) -> Rc<[Span]> {
        if !self.is_active(pattern) {
            return Rc::default();
        }
        if let Some(done) = self.matches.borrow().get(&pattern) {
            return Rc::clone(done);
        }
        let mut found: Vec<Span> = Vec::new();
        self.each_match(pattern, |start, ends| {
            if let Some(end) = ends.first() {
                found.push(start..*end);
            }
        });
        // Of two matches that end together the shorter one is the breach.
        let mut shortest: Vec<Span> = Vec::with_capacity(found.len());
        for span in found {
            shortest.retain(|other| other.end != span.end || other.start > span.start);
            shortest.push(span);
        }
        let shortest: Rc<[Span]> = shortest.into();
        self.matches.borrow_mut().insert(pattern, Rc::clone(&shortest));
        shortest
    }

    /// Whether one of `patterns` matches inside `region`, with no match of `unless` over it.
    pub fn any_in(&self, patterns: &[PatternId], region: &Span, unless: &[PatternId]) -> bool {
        patterns.iter().any(|pattern| {
            let inside = |span: &Span| region.start <= span.start && span.end <= region.end;
            self.matches(*pattern).iter().any(|span| inside(span) && !self.any_over(unless, span))
        })
    }

    /// Whether a match of one of `patterns` overlaps `span`.
    pub fn any_over(&self, patterns: &[PatternId], span: &Span) -> bool {
        let over = |other: &Span| other.start < span.end && span.start < other.end;
        patterns.iter().any(|pattern| self.matches(*pattern).iter().any(over))
    }

    fn each_match(&self, pattern: PatternId, mut found: impl FnMut(usize, &[usize])) {
        if !self.is_active(pattern) {
            return;
        }
        let pattern = &self.rules.places.patterns[pattern as usize];
        // A pattern one of whose slots has nothing to offer cannot match.
        let spans: Vec<Rc<[Span]>> = pattern.slots.iter().map(|slot| self.spans(slot.set)).collect();
        if spans.iter().any(|spans| spans.is_empty()) {
            return;
        }
        let mut at = 0;
        while at < spans[0].len() {
            let start = spans[0][at].start;
            let mut ends: Vec<usize> = Vec::new();
            while at < spans[0].len() && spans[0][at].start == start {
                if !pattern.slots[0].whole || self.words().aligned(&spans[0][at]) {
                    ends.push(spans[0][at].end);
                }
                at += 1;
            }
            if ends.is_empty() || !self.begins(pattern.start, start) {
                continue;
            }
            for (slot, spans) in pattern.slots.iter().zip(&spans).skip(1) {
                ends = self.follow(&ends, slot.gap, spans, slot.whole);
                if ends.is_empty() {
                    break;
                }
            }
            ends.retain(|end| self.closes(pattern.end, *end));
            if !ends.is_empty() {
                found(start, &ends);
            }
        }
    }

    fn follow(&self, ends: &[usize], gap: Gap, spans: &[Span], whole: bool) -> Vec<usize> {
        let mut next = Vec::new();
        for end in ends {
            let first = spans.partition_point(|span| span.start < *end);
            for span in &spans[first..] {
                if !self.bridges(gap, *end, span.start) {
                    break;
                }
                if !whole || self.words().aligned(span) {
                    next.push(span.end);
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        next.truncate(MAX_ENDS);
        next
    }

    /// Whether a gap may reach from `from` to `to`; false for every later `to` once it is false.
    fn bridges(&self, gap: Gap, from: usize, to: usize) -> bool {
        let (max, breaks) = match gap {
            Gap::None => return from == to,
            Gap::Clause(max) => (usize::from(max), &self.breaks().clauses),
            Gap::Sentence(max) => (usize::from(max), &self.breaks().sentences),
        };
        let part = breaks.partition_point(|part| part.end < from);
        if breaks.get(part).is_none_or(|part| to > part.end) {
            return false;
        }
        // A word has at least one character: jieba is asked only when the gap has more characters than allowed words.
        let short = self.view.text()[from..to].chars().take(max + 1).count() <= max;
        short || self.words().count(from, to) <= max
    }

    fn begins(&self, edge: Edge, at: usize) -> bool {
        let before = &self.view.text()[..at];
        match edge {
            Edge::Any => true,
            Edge::Clause => before.chars().next_back().is_none_or(|c| ends_clause(c) || c == '.'),
            Edge::Turn => before.chars().all(|c| !c.is_alphanumeric() || PARTICLES.contains(c)),
        }
    }

    fn closes(&self, edge: Edge, at: usize) -> bool {
        let after = self.view.text()[at..].trim_start_matches(|c| PARTICLES.contains(c));
        match edge {
            Edge::Any => true,
            Edge::Clause => after.chars().next().is_none_or(|c| ends_clause(c) || matches!(c, '.' | ')' | '”' | '"')),
            Edge::Turn => after.chars().all(|c| !c.is_alphanumeric() || PARTICLES.contains(c)),
        }
    }

    fn spans(&self, set: SetId) -> Rc<[Span]> {
        if let Some(done) = self.sets.borrow().get(&set) {
            return Rc::clone(done);
        }
        let words = &self.rules.places.sets[set as usize];
        let listed = |literal: &LiteralId| words.literals.binary_search(literal).is_ok();
        let mut spans: Vec<Span> =
            self.hits.iter().filter(|(literal, _)| listed(literal)).map(|(_, span)| span.clone()).collect();
        if words.number {
            spans.extend(self.numbers().iter().cloned());
        }
        for pattern in &words.patterns {
            self.each_match(*pattern, |start, ends| spans.extend(ends.iter().map(|end| start..*end)));
        }
        spans.sort_unstable_by_key(|span| (span.start, span.end));
        spans.dedup();
        spans.truncate(MAX_HITS);
        let spans: Rc<[Span]> = spans.into();
        self.sets.borrow_mut().insert(set, Rc::clone(&spans));
        spans
    }

    /// Runs of digits or numerals, and the placeholders that stand for them in anonymised exports.
    fn numbers(&self) -> &Rc<[Span]> {
        self.numbers.get_or_init(|| {
            let text = self.view.text();
            let mut spans: Vec<Span> = Vec::new();
            let mut start: Option<usize> = None;
            let mut chars = text.char_indices().peekable();
            while let Some((at, c)) = chars.next() {
                let digit = |c: char| c.is_ascii_digit() || NUMERALS.contains(c);
                let inner = matches!(c, ':' | '.') && chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
                if digit(c) || (start.is_some() && inner) {
                    start.get_or_insert(at);
                    continue;
                }
                spans.extend(start.take().map(|start| start..at));
                if c == '['
                    && let Some(length) = text[at..].find(']')
                    && length <= 24
                {
                    spans.push(at..at + length + 1);
                }
            }
            spans.extend(start.map(|start| start..text.len()));
            spans.sort_unstable_by_key(|span| span.start);
            spans.into()
        })
    }
}

/// One bit a pattern: whether each of its places can be filled from the hits.
fn active_patterns(rules: &RuleSet, hits: &[(LiteralId, Span)]) -> Vec<u64> {
    let found = hits.iter().map(|(literal, _)| *literal);
    let mut active = vec![0u64; rules.places.patterns.len() / 64 + 1];
    rules.places.any_active(&rules.wakes, found, |pattern| {
        active[pattern as usize / 64] |= 1 << (pattern % 64);
        false
    });
    active
}

/// A Latin word is not found inside a longer one: `sb` is not in `usb`.
fn stands_alone(text: &str, span: &Span) -> bool {
    let bytes = text.as_bytes();
    let letter = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
    let joined = |a: Option<usize>, b: usize| letter(a.and_then(|at| bytes.get(at))) && letter(bytes.get(b));
    let (first, last) = (span.start, span.end.saturating_sub(1));
    !joined(first.checked_sub(1), first) && !joined(Some(span.end), last)
}

fn enclosing(parts: &[Range<usize>], span: &Span) -> Span {
    let first = parts.partition_point(|part| part.end < span.start).min(parts.len() - 1);
    let last = parts.partition_point(|part| part.end < span.end).min(parts.len() - 1);
    parts[first].start.min(span.start)..parts[last].end.max(span.end)
}
