//! The first stage: which patterns a text may match, told by one pass of an automaton.
//!
//! A pattern may match when every one of its places can be filled by a literal found in the text, in whatever order; the
//! second stage looks at order and distance.

use std::cell::RefCell;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::lexicon::compile::{Pattern, WordSet};
use crate::lexicon::{LiteralId, PatternId, SetId};

/// The compiled patterns, as far as the question which of them may match needs them. A pattern that is a member of a
/// class has a lower number than those that use the class.
#[derive(Debug, Default)]
pub struct Places {
    pub(crate) sets: Vec<WordSet>,
    pub(crate) patterns: Vec<Pattern>,
    /// For each pattern its sets, the commonest first: the rarest was what woke it.
    by_rarity: Vec<Box<[SetId]>>,
    /// For each literal the sets that it is a member of: what it fills is marked at once, which costs less than asking
    /// each set for its members.
    member_of: Vec<Box<[SetId]>>,
    /// For each pattern the sets that it is a member of.
    fills: Vec<Vec<SetId>>,
}

/// The patterns to wake when a literal is found: those that cannot match without it or one like it.
#[derive(Debug, Default)]
pub struct Triggers {
    anchored: Vec<Box<[PatternId]>>,
    /// Patterns that may match without any literal.
    always: Box<[PatternId]>,
}

/// What is known of one text.
#[derive(Debug, Default)]
struct Found {
    /// The literals in it, without doubles.
    literals: Vec<LiteralId>,
    /// One bit a literal.
    present: Vec<u64>,
    /// One bit a pattern that was woken.
    woken: Vec<u64>,
    /// For each set the number of the last text that filled it.
    filled: Vec<u64>,
    text: u64,
}

impl Found {
    fn take(&mut self, literals: impl Iterator<Item = LiteralId>, places: &Places) {
        for literal in self.literals.drain(..) {
            self.present[literal as usize / 64] = 0;
        }
        self.filled.resize(places.sets.len().max(self.filled.len()), 0);
        self.woken.resize((places.patterns.len() / 64 + 1).max(self.woken.len()), 0);
        self.text += 1;
        for literal in literals {
            let (word, bit) = (literal as usize / 64, 1u64 << (literal % 64));
            if self.present.len() <= word {
                self.present.resize(word + 1, 0);
            }
            if self.present[word] & bit == 0 {
                self.present[word] |= bit;
                self.literals.push(literal);
                for set in &places.member_of[literal as usize] {
                    self.filled[*set as usize] = self.text;
                }
            }
        }
    }
}

impl Places {
    /// `cost` gives how often a set is to be expected.
    pub(crate) fn new(
        sets: Vec<WordSet>,
        patterns: Vec<Pattern>,
        literals: usize,
        mut cost: impl FnMut(SetId) -> f64,
    ) -> Places {
        let mut by_rarity = Vec::with_capacity(patterns.len());
        for pattern in &patterns {
            let mut sets: Vec<SetId> = pattern.slots.iter().map(|slot| slot.set).collect();
            sets.sort_by(|a, b| cost(*b).total_cmp(&cost(*a)));
            sets.dedup();
            // The second rarest tells most: the rarest was what woke the pattern.
            if sets.len() > 2 {
                let rarest = sets.len() - 1;
                sets[..rarest].reverse();
            }
            by_rarity.push(sets.into_boxed_slice());
        }
        let mut fills = vec![Vec::new(); patterns.len()];
        let mut member_of = vec![Vec::new(); literals];
        for (set, words) in (0..).zip(&sets) {
            words.patterns.iter().for_each(|pattern| fills[*pattern as usize].push(set));
            words.literals.iter().for_each(|literal| member_of[*literal as usize].push(set));
        }
        let member_of = member_of.into_iter().map(Vec::into_boxed_slice).collect();
        Places { sets, patterns, by_rarity, member_of, fills }
    }

    /// Calls `act` for each woken pattern all of whose places can be filled from `literals`, in ascending order, until
    /// it returns `true`; returns whether it did.
    pub(crate) fn any_active(
        &self,
        triggers: &Triggers,
        literals: impl Iterator<Item = LiteralId>,
        mut act: impl FnMut(PatternId) -> bool,
    ) -> bool {
        thread_local! {
            static FOUND: RefCell<Found> = RefCell::default();
        }
        FOUND.with_borrow_mut(|found| {
            found.take(literals, self);
            let anchored = found.literals.iter().map(|literal| &triggers.anchored[*literal as usize]);
            for pattern in anchored.chain([&triggers.always]).flatten() {
                found.woken[*pattern as usize / 64] |= 1 << (pattern % 64);
            }
            let mut done = false;
            for word in 0..found.woken.len() {
                let mut bits = std::mem::take(&mut found.woken[word]);
                while bits != 0 && !done {
                    let pattern = (word * 64) as PatternId + bits.trailing_zeros();
                    bits &= bits - 1;
                    if self.by_rarity[pattern as usize].iter().all(|set| self.is_filled(*set, found)) {
                        self.fills[pattern as usize].iter().for_each(|set| found.filled[*set as usize] = found.text);
                        done = act(pattern);
                    }
                }
            }
            done
        })
    }

    fn is_filled(&self, set: SetId, found: &Found) -> bool {
        found.filled[set as usize] == found.text || self.sets[set as usize].number
    }
}

impl Triggers {
    /// `anchors` gives for a pattern the literals of which one must be found, or `None` when a number will do.
    pub(crate) fn new(
        patterns: impl Iterator<Item = PatternId>,
        literals: usize,
        mut anchors: impl FnMut(PatternId) -> Option<Vec<LiteralId>>,
    ) -> Triggers {
        let mut anchored = vec![Vec::new(); literals];
        let mut always = Vec::new();
        for pattern in patterns {
            match anchors(pattern) {
                Some(literals) => literals.into_iter().for_each(|id| anchored[id as usize].push(pattern)),
                None => always.push(pattern),
            }
        }
        Triggers { anchored: anchored.into_iter().map(Vec::into_boxed_slice).collect(), always: always.into() }
    }
}

/// Passes texts that may match one of its patterns.
#[derive(Debug)]
pub struct Filter {
    /// Built when the first text comes.
    automaton: OnceLock<AhoCorasick>,
    texts: Vec<String>,
    /// The literal that each text of the automaton stands for.
    literals: Vec<LiteralId>,
    /// Of its patterns and of the patterns of their classes.
    triggers: Triggers,
    /// One bit a pattern: its own ones.
    wanted: Vec<u64>,
}

impl Filter {
    /// A filter for `patterns`. `triggers` wakes them and the patterns of their classes; `literals` are those that any of
    /// them looks for, each with the text that stands for it.
    pub(crate) fn new(
        patterns: &[PatternId],
        triggers: Triggers,
        literals: impl Iterator<Item = (LiteralId, String)>,
    ) -> Filter {
        let mut wanted = vec![0u64; patterns.iter().max().map_or(0, |last| *last as usize / 64 + 1)];
        for pattern in patterns {
            wanted[*pattern as usize / 64] |= 1 << (pattern % 64);
        }
        let (literals, texts): (Vec<LiteralId>, Vec<String>) = literals.unzip();
        Filter { automaton: OnceLock::new(), texts, literals, triggers, wanted }
    }

    /// Whether the text may match.
    pub(crate) fn passes(&self, places: &Places, text: &str) -> bool {
        let automaton = self.automaton.get_or_init(|| super::compile::automaton(&self.texts));
        let hits = automaton.find_overlapping_iter(text).map(|hit| self.literals[hit.pattern().as_usize()]);
        let wanted =
            |pattern: PatternId| self.wanted.get(pattern as usize / 64).is_some_and(|w| w & (1 << (pattern % 64)) != 0);
        places.any_active(&self.triggers, hits, wanted)
    }
}
