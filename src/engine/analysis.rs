//! One view of one turn, with everything patterns ask of it: hits, words, clauses, quotes. Computed when asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::lexicon::index::{self, MAX_HITS, MAX_WORD_CHARS, Probe, Purpose};
use crate::lexicon::pattern::Gap;
use crate::lexicon::{Condition, LiteralId, PatternId, Rule, RuleIndex, RuleSet, Scope, SetId};
use crate::span::Span;
use crate::text::marks::{self, Breaks};
use crate::text::{View, ViewText, Words};
use crate::timings::{Stage, stage};

/// More ends than this for one start of a pattern are not followed: no honest sentence has them.
const MAX_ENDS: usize = 64;

/// One view of one turn, and what was found out about it. Does not depend on the conversation around it.
#[derive(Debug)]
pub struct Facts {
    view: View,
    text: ViewText,
    probe: RefCell<Probe>,
    /// What patterns that fire are looked for.
    purposes: &'static [Purpose],
    eager: bool,
    words: OnceCell<Words>,
    breaks: OnceCell<Breaks>,
    numbers: OnceCell<Rc<[Span]>>,
    sets: RefCell<FxHashMap<SetId, Rc<[Span]>>>,
    matches: RefCell<FxHashMap<PatternId, Rc<[Span]>>>,
    standing: OnceCell<Vec<(RuleIndex, Vec<Span>)>>,
    /// By question, two bits each: whether it was asked of the whole turn, and the answer.
    answers: RefCell<Vec<u8>>,
}

impl Facts {
    /// Goes on from what the first stage found in `text`. With `eager` no pattern is left out for what the first stage says
    /// of it.
    pub fn new(view: View, text: ViewText, probe: Probe, purposes: &'static [Purpose], eager: bool) -> Facts {
        Facts {
            view,
            text,
            probe: RefCell::new(probe),
            purposes,
            eager,
            words: OnceCell::new(),
            breaks: OnceCell::new(),
            numbers: OnceCell::new(),
            sets: RefCell::default(),
            matches: RefCell::default(),
            standing: OnceCell::new(),
            answers: RefCell::default(),
        }
    }

    /// Whether some hits were left out, see [`MAX_HITS`].
    pub fn truncated(&self) -> bool {
        self.probe.borrow().truncated
    }
}

/// [`Facts`] in the light of the rules they were found with: answers what patterns ask.
#[derive(Debug, Clone, Copy)]
pub struct Analysis<'a> {
    rules: &'a RuleSet,
    facts: &'a Facts,
}

impl<'a> Analysis<'a> {
    /// `facts` must have been found with `rules`.
    pub fn new(rules: &'a RuleSet, facts: &'a Facts) -> Analysis<'a> {
        Analysis { rules, facts }
    }

    /// The text of the view and its alignment.
    pub fn view(&self) -> &'a ViewText {
        &self.facts.text
    }

    fn is_active(&self, pattern: PatternId) -> bool {
        self.facts.eager
            || self.rules.index.may_match(pattern, self.facts.text.text(), &mut self.facts.probe.borrow_mut())
    }

    /// The rules about turns whose phrases stand here, with the places where they do and all conditions that look no
    /// further than this turn hold. On the folded view only rules that ask for it.
    pub fn standing(&self) -> &'a [(RuleIndex, Vec<Span>)] {
        self.facts.standing.get_or_init(|| {
            let standing = |(rule, patterns): (RuleIndex, Vec<PatternId>)| {
                let spans = self.places(&self.rules.rules[rule as usize], &patterns);
                (!spans.is_empty()).then_some((rule, spans))
            };
            self.candidates().into_iter().filter_map(standing).collect()
        })
    }

    /// The rules about turns whose phrases may stand here, with these phrases. On the folded view only rules that ask for it.
    pub fn candidates(&self) -> BTreeMap<RuleIndex, Vec<PatternId>> {
        let mut of_rule: BTreeMap<RuleIndex, Vec<PatternId>> = BTreeMap::new();
        for pattern in self.active() {
            let Some(rule) = self.rules.owners[pattern as usize] else { continue };
            let definition = &self.rules.rules[rule as usize];
            let seen = self.facts.view != View::Folded || definition.view == View::Folded;
            if seen && definition.dialogue.is_none() {
                of_rule.entry(rule).or_default().push(pattern);
            }
        }
        of_rule
    }

    /// Where one of `patterns` stands and the conditions of `rule` that look no further than this turn hold.
    pub fn places(&self, rule: &Rule, patterns: &[PatternId]) -> Vec<Span> {
        let mut spans: Vec<Span> = patterns.iter().flat_map(|pattern| self.matches(*pattern).to_vec()).collect();
        spans.sort_unstable_by_key(|span| (span.start, span.end));
        spans.dedup();
        spans.retain(|span| self.local_conditions_hold(rule, span));
        spans
    }

    /// Whether the conditions of `rule` that look no further than this turn hold for a hit at `span`.
    pub fn local_conditions_hold(&self, rule: &Rule, span: &Span) -> bool {
        let local = |condition: &&Condition| condition.scope.is_local();
        !self.any_over(&rule.unless, span)
            && rule.require.iter().filter(local).all(|condition| self.holds(condition, span))
            && !rule.exclude.iter().filter(local).any(|condition| self.holds(condition, span))
    }

    /// Whether a condition that looks no further than this turn holds for a hit at `span`.
    pub fn holds(&self, condition: &Condition, span: &Span) -> bool {
        let whole = 0..self.view().text().len();
        let region = match condition.scope {
            Scope::Before | Scope::After => {
                let clause = self.clause(span);
                let before = condition.scope == Scope::Before;
                let region = if before { clause.start..span.start } else { span.end..clause.end.max(span.end) };
                match condition.within {
                    None => region,
                    // Words are counted only where a phrase stands in the clause at all.
                    Some(_) if !self.says(condition, &region) => return false,
                    Some(within) if before => region.start.max(self.words().back(span.start, within))..region.end,
                    Some(within) => region.start..region.end.min(self.words().forward(span.end, within)),
                }
            }
            Scope::Clause => self.clause(span),
            Scope::Sentence => self.sentence(span),
            Scope::Quoted if !self.quoted(span) => return false,
            _ => whole,
        };
        self.says(condition, &region)
    }

    /// Whether `region` holds a phrase of `condition`, in a turn that is short enough for it.
    pub fn says(&self, condition: &Condition, region: &Span) -> bool {
        let short = |max: usize| self.view().text().chars().filter(|c| c.is_alphanumeric()).nth(max).is_none();
        condition.max_chars.is_none_or(short)
            && (condition.any.is_empty() || self.any_in(&condition.any, region, &condition.unless))
    }

    /// Whether the turn as a whole holds a phrase of `condition`: asked of texts that come again with every conversation.
    pub fn says_anywhere(&self, condition: &Condition) -> bool {
        let (at, shift) = (condition.question as usize / 4, condition.question % 4 * 2);
        let known = self.facts.answers.borrow().get(at).map_or(0, |bits| bits >> shift & 3);
        if known & 1 != 0 {
            return known & 2 != 0;
        }
        let says = self.says(condition, &(0..self.view().text().len()));
        let mut answers = self.facts.answers.borrow_mut();
        if answers.is_empty() {
            answers.resize(self.rules.questions as usize / 4 + 1, 0);
        }
        answers[at] |= (1 | u8::from(says) << 1) << shift;
        says
    }

    /// The patterns that may match of those that fire on what an agent says; with `eager` all of them.
    fn active(&self) -> Vec<PatternId> {
        if self.facts.eager {
            return (0..).take(self.rules.index.patterns.len()).collect();
        }
        let mut probe = self.facts.probe.borrow_mut();
        let run = |purpose: &Purpose| self.rules.index.run(*purpose, self.facts.text.text(), &mut probe);
        self.facts.purposes.iter().for_each(run);
        probe.active().to_vec()
    }

    /// The word boundaries; segments the view when first called.
    pub fn words(&self) -> &'a Words {
        self.facts.words.get_or_init(|| {
            let _stage = stage(Stage::Segment);
            self.rules.segmenter.words(&self.facts.text)
        })
    }

    fn breaks(&self) -> &'a Breaks {
        self.facts.breaks.get_or_init(|| Breaks::of(self.facts.text.text()))
    }

    /// The clause that `span` begins in to the clause that it ends in.
    pub fn clause(&self, span: &Span) -> Span {
        self.breaks().clause(span)
    }

    /// The sentence that `span` begins in to the sentence that it ends in.
    pub fn sentence(&self, span: &Span) -> Span {
        self.breaks().sentence(span)
    }

    /// Whether `span` stands inside quotation marks.
    pub fn quoted(&self, span: &Span) -> bool {
        self.breaks().quoted(span)
    }

    /// Every match of `pattern` that starts as early as it can for its end and ends as early as it can for its start,
    /// in order.
    pub fn matches(&self, pattern: PatternId) -> Rc<[Span]> {
        if !self.is_active(pattern) {
            return Rc::default();
        }
        if let Some(done) = self.facts.matches.borrow().get(&pattern) {
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
        self.facts.matches.borrow_mut().insert(pattern, Rc::clone(&shortest));
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
        let pattern = &self.rules.index.patterns[pattern as usize];
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
            if ends.is_empty() || !index::begins(pattern.start, self.facts.text.text(), start) {
                continue;
            }
            for (slot, spans) in pattern.slots.iter().zip(&spans).skip(1) {
                ends = self.follow(&ends, slot.gap, spans, slot.whole);
                if ends.is_empty() {
                    break;
                }
            }
            ends.retain(|end| index::closes(pattern.end, self.facts.text.text(), *end));
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
        let (max, last) = match gap {
            Gap::None => return from == to,
            Gap::Clause(max) => (usize::from(max), self.breaks().clause_end(from)),
            Gap::Sentence(max) => (usize::from(max), self.breaks().sentence_end(from)),
        };
        if to > last {
            return false;
        }
        // A word has at least one character: jieba is asked only when the gap has more characters than allowed words.
        let chars = self.facts.text.text()[from..to].chars().take(max * MAX_WORD_CHARS + 1).count();
        chars <= max || chars <= max * MAX_WORD_CHARS && self.words().count(from, to) <= max
    }

    fn spans(&self, set: SetId) -> Rc<[Span]> {
        if let Some(done) = self.facts.sets.borrow().get(&set) {
            return Rc::clone(done);
        }
        let words = &self.rules.index.sets[set as usize];
        let listed = |literal: &LiteralId| words.literals.binary_search(literal).is_ok();
        let probe = self.facts.probe.borrow();
        let mut spans: Vec<Span> =
            probe.literals().filter(|(literal, _)| listed(literal)).map(|(_, span)| span).collect();
        drop(probe);
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
        self.facts.sets.borrow_mut().insert(set, Rc::clone(&spans));
        spans
    }

    fn numbers(&self) -> &'a Rc<[Span]> {
        self.facts.numbers.get_or_init(|| {
            let mut spans = Vec::new();
            marks::numbers(self.facts.text.text(), &mut spans);
            spans.into()
        })
    }
}
