//! The compiled patterns and the search that tells which of them may match a text.
//!
//! One pass of an automaton finds every literal. A literal wakes the patterns that cannot match without it or one like
//! it, if the characters beside it fit. A woken pattern is then followed from that literal outwards, through everything
//! that can be told without segmenting: order, touching neighbours, clauses and sentences, edges. What is left may fail
//! only for the number of words in a gap and for word boundaries, which the second stage looks at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder};
use rustc_hash::FxHashMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lexicon::pattern::{Edge, Gap};
use crate::lexicon::{LiteralId, PatternId, SetId};
use crate::span::Span;
use crate::text::marks::{self, Breaks, PARTICLES};
use crate::text::normalize::sound_text;
use crate::timings::{Stage, stage};

/// More literal hits than this in one turn are not looked at; the ledger says so.
pub const MAX_HITS: usize = 20_000;
/// A longer run of characters than this in a gap counts as more than one word, whatever jieba says: no word is so long.
pub const MAX_WORD_CHARS: usize = 16;
/// More steps than this are not followed from one literal: no honest sentence needs them.
const MAX_STEPS: u32 = 5_000;

/// Words that may stand for one another at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WordSet {
    /// Sorted.
    pub literals: Vec<LiteralId>,
    /// Members that are sequences themselves; sorted.
    pub patterns: Vec<PatternId>,
    /// Whether any number is a member.
    pub number: bool,
}

/// One place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// How it follows the slot before.
    pub gap: Gap,
    /// What may stand here.
    pub set: SetId,
    /// Only where words begin and end.
    pub whole: bool,
}

/// A compiled sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    /// Where a match must begin.
    pub start: Edge,
    /// Where a match must end.
    pub end: Edge,
    /// At least one.
    pub slots: Vec<Slot>,
}

/// What a pattern is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Fires when the customer says it.
    Asked,
    /// Fires when the agent says it.
    Fires,
    /// Fires when the agent says it to a customer who said something in particular.
    Answers,
    /// Asked about by a condition.
    Condition,
}

impl Purpose {
    /// In the order of their bits.
    const ALL: [Purpose; PURPOSES] = [Purpose::Asked, Purpose::Fires, Purpose::Answers, Purpose::Condition];
}

const PURPOSES: usize = 4;

/// A literal, or a pattern that is a member of a class, found in a text. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
    /// A literal, or the number of literals plus a pattern.
    atom: u32,
}

impl Hit {
    /// The bytes.
    pub fn span(self) -> Span {
        self.start as usize..self.end as usize
    }
}

/// What must hold around a literal that wakes a pattern.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Gate {
    /// What may stand before the literal: one bit a kind of character.
    before: u64,
    /// What may stand behind it.
    after: u64,
    /// Further places of the pattern that must be filled from the text: groups, see [`Groups`].
    groups: [u16; 3],
}

/// The sets that are asked for most often when patterns are woken: which of them a text may fill is noted when its literals
/// are found.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Groups {
    /// For each literal where its groups start in `members`.
    first: Vec<u32>,
    members: Vec<u16>,
    /// Only while the index is built.
    #[serde(skip)]
    of_set: FxHashMap<SetId, u16>,
}

/// How many groups there are. Group 0 is filled by every text.
const GROUPS: usize = 2048;

impl Groups {
    /// `asked` counts how often each set was asked for in ordinary text.
    fn new(triggers: &[Option<Vec<LiteralId>>], literals: usize, asked: &FxHashMap<SetId, u32>) -> Groups {
        let mut sets_asked: Vec<(u32, SetId)> = asked.iter().map(|(set, count)| (*count, *set)).collect();
        sets_asked.sort_unstable_by_key(|(count, set)| (Reverse(*count), *set));
        let mut of_literal = vec![Vec::new(); literals];
        let mut of_set = FxHashMap::default();
        for (group, (_, set)) in (1..GROUPS as u16).zip(&sets_asked) {
            of_set.insert(*set, group);
            let literals = triggers[*set as usize].iter().flatten();
            literals.for_each(|literal| of_literal[*literal as usize].push(group));
        }
        let mut first = Vec::with_capacity(literals + 1);
        let mut members = Vec::new();
        for groups in of_literal {
            first.push(members.len() as u32);
            members.extend(groups);
        }
        first.push(members.len() as u32);
        Groups { first, members, of_set }
    }

    fn of(&self, literal: LiteralId) -> &[u16] {
        &self.members[self.first[literal as usize] as usize..self.first[literal as usize + 1] as usize]
    }
}

/// For each atom the patterns to wake.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Wakes {
    first: Vec<u32>,
    patterns: Vec<PatternId>,
}

impl Wakes {
    fn new(atoms: usize, mut entries: Vec<(u32, PatternId)>) -> Wakes {
        entries.sort_unstable();
        let mut first = vec![0u32; atoms + 1];
        entries.iter().for_each(|(atom, _)| first[*atom as usize + 1] += 1);
        (1..first.len()).for_each(|at| first[at] += first[at - 1]);
        Wakes { first, patterns: entries.into_iter().map(|(_, pattern)| pattern).collect() }
    }

    fn of(&self, atom: u32) -> &[PatternId] {
        &self.patterns[self.first[atom as usize] as usize..self.first[atom as usize + 1] as usize]
    }
}

/// Finds literals; gives the place of each in the list that it was built from.
struct Literals(CharwiseDoubleArrayAhoCorasick<u32>);

impl Serialize for Literals {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0.serialize())
    }
}

impl<'de> Deserialize<'de> for Literals {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Literals, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(from)?;
        let (automaton, _) = CharwiseDoubleArrayAhoCorasick::deserialize(bytes).map_err(D::Error::custom)?;
        Ok(Literals(automaton))
    }
}

/// All patterns, with what finds them. Immutable.
#[derive(Serialize, Deserialize)]
pub struct Index {
    pub(crate) sets: Vec<WordSet>,
    pub(crate) patterns: Vec<Pattern>,
    automaton: Option<Literals>,
    /// Finds sound forms; for each the literals that sound so.
    sound: Option<(Literals, Vec<Vec<LiteralId>>)>,
    /// How many literals there are: the atoms behind them are members of classes.
    literals: u32,
    /// For each pattern what it is looked for, one bit each.
    purposes: Vec<u8>,
    /// For each pattern whether it is a member of a class.
    member: Vec<bool>,
    /// For each pattern the slot that wakes it.
    anchors: Vec<u8>,
    groups: Groups,
    /// For each pattern what must hold where it is woken.
    gates: Vec<Gate>,
    wakes: [Wakes; PURPOSES],
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("literals", &self.literals).field("patterns", &self.patterns.len()).finish()
    }
}

/// What was found in one text. Its memory is used again for the next.
#[derive(Debug, Default)]
pub struct Probe {
    /// Literals in order of their ends, then members of classes.
    hits: Vec<Hit>,
    literals: usize,
    /// Whether something was left out, see [`MAX_HITS`].
    pub truncated: bool,
    /// Purposes looked for so far, one bit each.
    done: u8,
    /// The patterns that may match, ascending.
    active: Vec<PatternId>,
    /// One bit for the patterns of equal rest modulo 64, to say no quickly.
    some: u64,
    /// One bit a group that a literal fills.
    groups: Vec<u64>,
    /// The hits that start and end at each byte, as chains.
    by_start: Chains,
    by_end: Chains,
    breaks: Option<Breaks>,
    numbers: Option<Vec<Span>>,
    queue: Vec<(PatternId, u32)>,
}

#[derive(Debug, Default)]
struct Chains {
    first: Vec<u32>,
    next: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Chains {
    fn clear(&mut self, bytes: usize) {
        self.first.clear();
        self.first.resize(bytes + 1, NONE);
        self.next.clear();
    }

    fn push(&mut self, at: u32) {
        let hit = u32::try_from(self.next.len()).expect("hits are capped");
        self.next.push(std::mem::replace(&mut self.first[at as usize], hit));
    }

    fn at(&self, byte: usize) -> impl Iterator<Item = usize> + '_ {
        let mut hit = self.first[byte];
        std::iter::from_fn(move || {
            let this = (hit != NONE).then_some(hit as usize)?;
            hit = self.next[this];
            Some(this)
        })
    }
}

impl Probe {
    fn clear(&mut self) {
        self.hits.clear();
        self.groups.clear();
        self.active.clear();
        (self.truncated, self.done, self.some) = (false, 0, 0);
        (self.breaks, self.numbers) = (None, None);
        self.by_start.first.clear();
    }

    /// Whether a pattern may match; of a purpose that was looked for.
    pub fn is_active(&self, pattern: PatternId) -> bool {
        self.some & (1 << (pattern % 64)) != 0 && self.active.binary_search(&pattern).is_ok()
    }

    /// The patterns that may match, of the purposes looked for; ascending.
    pub fn active(&self) -> &[PatternId] {
        &self.active
    }

    /// The literals found, in the order of their ends.
    pub fn literals(&self) -> impl Iterator<Item = (LiteralId, Span)> + '_ {
        self.hits[..self.literals].iter().map(|hit| (hit.atom, hit.span()))
    }

    /// Gives back what only a further search would need: all purposes must have been looked for.
    fn compact(&mut self) {
        self.hits.truncate(self.literals);
        self.hits.shrink_to_fit();
        self.active.shrink_to_fit();
        (self.groups, self.by_start, self.by_end) = Default::default();
        (self.breaks, self.numbers, self.queue) = Default::default();
    }

    fn activate(&mut self, pattern: PatternId) {
        if let Err(at) = self.active.binary_search(&pattern) {
            self.active.insert(at, pattern);
            self.some |= 1 << (pattern % 64);
        }
    }

    fn fills(&self, groups: [u16; 3]) -> bool {
        groups.iter().all(|group| self.groups[usize::from(group / 64)] & (1 << (group % 64)) != 0)
    }
}

/// What an index is built from.
pub(crate) struct Parts<'p> {
    pub sets: Vec<WordSet>,
    pub patterns: Vec<Pattern>,
    pub literals: &'p [String],
    /// Literals to be found by sound too, with their sound forms.
    pub sounds: Vec<(LiteralId, String)>,
    /// The purpose of each pattern that is not looked for as a member of a class only.
    pub purposes: Vec<Option<Purpose>>,
    /// Ordinary text, to tell common literals from rare ones.
    pub sample: &'p str,
}

impl Index {
    pub(crate) fn new(parts: Parts<'_>) -> Index {
        let Parts { sets, patterns, literals, sounds, purposes, sample } = parts;
        let automaton = automaton(literals.iter().map(String::as_str));
        let mut member = vec![false; patterns.len()];
        sets.iter().flat_map(|set| &set.patterns).for_each(|pattern| member[*pattern as usize] = true);
        let purposes = inherit(&sets, &patterns, purposes);

        let mut counts = vec![0u32; literals.len()];
        for hit in automaton.iter().flat_map(|automaton| automaton.0.find_overlapping_iter(sample)) {
            counts[hit.value() as usize] += 1;
        }
        let anchors = anchors(&sets, &patterns, |literal| {
            // What the sample does not hold is the rarer the longer it is.
            let unseen = [3.0, 3.0, 0.3, 0.02][literals[literal as usize].chars().count().min(3)];
            f64::from(counts[literal as usize]) + unseen
        });

        let mut heard = vec![false; literals.len()];
        sounds.iter().for_each(|(literal, _)| heard[*literal as usize] = true);
        let kinds = Kinds::new(&sets, &patterns, literals, &heard);
        let count = u32::try_from(literals.len()).expect("fewer than 2^32 literals");
        let triggers = triggers(&sets, &patterns, &anchors);
        // The places of a pattern that its anchor is not, as far as none is filled without some literal.
        let others = |id: usize| {
            let anchor = usize::from(anchors[id]);
            let slots = patterns[id].slots.iter().enumerate().filter(|(at, _)| *at != anchor);
            let mut others: Vec<SetId> = slots.map(|(_, slot)| slot.set).collect();
            others.retain(|set| triggers[*set as usize].is_some());
            let common = |set: &SetId| {
                let literals = triggers[*set as usize].iter().flatten();
                literals.map(|literal| counts[*literal as usize]).sum()
            };
            others.sort_by_cached_key(|set| -> u32 { common(set) });
            others
        };
        let mut asked: FxHashMap<SetId, u32> = FxHashMap::default();
        for id in 0..patterns.len() {
            let anchor = &sets[patterns[id].slots[usize::from(anchors[id])].set as usize];
            let woken: u32 = anchor.literals.iter().map(|literal| counts[*literal as usize]).sum();
            others(id).into_iter().for_each(|set| *asked.entry(set).or_default() += woken);
        }
        let groups = Groups::new(&triggers, literals.len(), &asked);
        let gate = |(id, pattern): (usize, &Pattern)| {
            let (before, after) = kinds.beside(pattern, usize::from(anchors[id]));
            let mut asked = others(id).into_iter().filter_map(|set| groups.of_set.get(&set).copied());
            Gate { before, after, groups: std::array::from_fn(|_| asked.next().unwrap_or_default()) }
        };
        let gates = patterns.iter().enumerate().map(gate).collect();
        let wakes = Purpose::ALL.map(|purpose| {
            let mut entries: Vec<(u32, PatternId)> = Vec::new();
            for (id, pattern) in (0..).zip(&patterns).filter(|(id, _)| purposes[*id as usize] & bit(purpose) != 0) {
                let anchor = usize::from(anchors[id as usize]);
                let set = &sets[pattern.slots[anchor].set as usize];
                let atoms = set.literals.iter().copied().chain(set.patterns.iter().map(|member| count + member));
                entries.extend(atoms.map(|atom| (atom, id)));
            }
            Wakes::new(literals.len() + patterns.len(), entries)
        });

        let mut by_form: BTreeMap<&str, Vec<LiteralId>> = BTreeMap::new();
        sounds.iter().for_each(|(literal, form)| by_form.entry(form).or_default().push(*literal));
        let sound = self::automaton(by_form.keys().copied()).map(|found| (found, by_form.into_values().collect()));
        Index { sets, patterns, automaton, sound, literals: count, purposes, member, anchors, groups, gates, wakes }
    }

    /// Finds the literals of `text`, by sound too if asked; forgets what `probe` held.
    pub fn find(&self, text: &str, by_sound: bool, probe: &mut Probe) {
        let _stage = stage(Stage::Automaton);
        probe.clear();
        let bytes = text.as_bytes();
        let hit = |start: usize, end: usize, atom: u32| Hit { start: start as u32, end: end as u32, atom };
        if let Some(automaton) = &self.automaton {
            for found in automaton.0.find_overlapping_iter(text) {
                if stands_alone(bytes, found.start(), found.end()) {
                    probe.hits.push(hit(found.start(), found.end(), found.value()));
                }
            }
        }
        if let Some((automaton, literals)) = self.sound.as_ref().filter(|_| by_sound) {
            // As many bytes as the text: a Han character and its stand-in both take three.
            let heard = sound_text(text);
            for found in automaton.0.find_overlapping_iter(&heard) {
                let literals = literals[found.value() as usize].iter();
                probe.hits.extend(literals.map(|literal| hit(found.start(), found.end(), *literal)));
            }
            probe.hits.sort_unstable_by_key(|hit| (hit.end, hit.start, hit.atom));
            probe.hits.dedup();
        }
        probe.truncated = probe.hits.len() > MAX_HITS;
        probe.hits.truncate(MAX_HITS);
        probe.literals = probe.hits.len();
        probe.groups.resize(GROUPS / 64, 0);
        probe.groups[0] = 1;
        for hit in &probe.hits {
            for group in self.groups.of(hit.atom) {
                probe.groups[usize::from(group / 64)] |= 1 << (group % 64);
            }
        }
    }

    /// Whether `pattern`, which is looked for with `purpose` or another, may match; looks for what was not looked for yet.
    pub fn may_match(&self, pattern: PatternId, text: &str, probe: &mut Probe) -> bool {
        let purposes = self.purposes[pattern as usize];
        if purposes & probe.done == 0 {
            let purpose = Purpose::ALL.into_iter().rev().find(|purpose| bit(*purpose) & purposes != 0);
            self.run(purpose.unwrap_or(Purpose::Condition), text, probe);
        }
        probe.is_active(pattern)
    }

    /// Looks for the patterns of a purpose. `text` is what the literals were found in.
    pub fn run(&self, purpose: Purpose, text: &str, probe: &mut Probe) {
        if probe.done & bit(purpose) != 0 {
            return;
        }
        let _stage = stage(Stage::Follow);
        probe.done |= bit(purpose);
        let wakes = &self.wakes[purpose as usize];
        let mut queue = std::mem::take(&mut probe.queue);
        queue.clear();
        for (at, hit) in (0..).zip(&probe.hits) {
            self.wake(wakes, text, *hit, at, probe, |pattern| queue.push(pattern));
        }
        if !queue.is_empty() {
            queue.sort_unstable();
            self.follow_all(wakes, text, &queue, probe);
        }
        probe.queue = queue;
    }

    /// Looks for the patterns of all purposes and gives back the memory that this took.
    pub fn finish(&self, text: &str, probe: &mut Probe) {
        for purpose in Purpose::ALL {
            self.run(purpose, text, probe);
        }
        probe.compact();
    }

    fn wake(&self, wakes: &Wakes, text: &str, hit: Hit, at: u32, probe: &Probe, mut act: impl FnMut((PatternId, u32))) {
        let patterns = wakes.of(hit.atom);
        if patterns.is_empty() {
            return;
        }
        let before = kind(text[..hit.start as usize].chars().next_back());
        let after = kind(text[hit.end as usize..].chars().next());
        for pattern in patterns {
            let gate = &self.gates[*pattern as usize];
            if gate.before & before != 0 && gate.after & after != 0 && probe.fills(gate.groups) {
                act((*pattern, at));
            }
        }
    }

    /// Follows the woken patterns in ascending order: a member of a class has a lower number than what uses the class.
    fn follow_all(&self, wakes: &Wakes, text: &str, queue: &[(PatternId, u32)], probe: &mut Probe) {
        if probe.by_start.first.is_empty() {
            probe.by_start.clear(text.len());
            probe.by_end.clear(text.len());
            for hit in &probe.hits {
                probe.by_start.push(hit.start);
                probe.by_end.push(hit.end);
            }
        }
        let mut queue = queue.iter().copied().peekable();
        let mut woken: BinaryHeap<Reverse<(PatternId, u32)>> = BinaryHeap::new();
        loop {
            let next = match (queue.peek(), woken.peek()) {
                (Some(first), Some(Reverse(other))) if other < first => woken.pop().map(|Reverse(pair)| pair),
                (Some(_), _) => queue.next(),
                (None, _) => woken.pop().map(|Reverse(pair)| pair),
            };
            let Some((pattern, hit)) = next else { break };
            if !self.member[pattern as usize] {
                if !probe.is_active(pattern) && self.follow(text, pattern, hit, probe, None) {
                    probe.activate(pattern);
                }
                continue;
            }
            let mut spans = Vec::new();
            if self.follow(text, pattern, hit, probe, Some(&mut spans)) {
                probe.activate(pattern);
            }
            for (start, end) in spans {
                let found = Hit { start, end, atom: self.literals + pattern };
                let known = probe.by_start.at(start as usize).any(|at| probe.hits[at] == found);
                if known || probe.hits.len() > 2 * MAX_HITS {
                    continue;
                }
                let at = probe.hits.len() as u32;
                probe.hits.push(found);
                probe.by_start.push(start);
                probe.by_end.push(end);
                self.wake(wakes, text, found, at, probe, |pair| woken.push(Reverse(pair)));
            }
        }
    }

    /// Whether `pattern` may match with its anchor at `hit`; with `spans` all matches are gathered.
    fn follow(
        &self,
        text: &str,
        pattern: PatternId,
        hit: u32,
        probe: &mut Probe,
        spans: Option<&mut Vec<(u32, u32)>>,
    ) -> bool {
        let anchor = usize::from(self.anchors[pattern as usize]);
        let pattern = &self.patterns[pattern as usize];
        let hit = probe.hits[hit as usize];
        if probe.breaks.is_none() && pattern.slots.iter().any(|slot| slot.gap != Gap::None) {
            probe.breaks = Some(Breaks::of(text));
        }
        if probe.numbers.is_none() && pattern.slots.iter().any(|slot| self.sets[slot.set as usize].number) {
            let mut numbers = Vec::new();
            marks::numbers(text, &mut numbers);
            probe.numbers = Some(numbers);
        }
        let mut walk = Walk { index: self, probe, text, pattern, steps: 0 };
        match spans {
            None => {
                walk.forward(anchor + 1, hit.end as usize, &mut |_| true)
                    && walk.backward(anchor, hit.start as usize, &mut |_| true)
            }
            Some(spans) => {
                let (mut starts, mut ends) = (Vec::new(), Vec::new());
                walk.forward(anchor + 1, hit.end as usize, &mut |end| {
                    ends.push(end as u32);
                    false
                });
                if !ends.is_empty() {
                    walk.backward(anchor, hit.start as usize, &mut |start| {
                        starts.push(start as u32);
                        false
                    });
                }
                let cut = walk.steps > MAX_STEPS;
                probe.truncated |= cut;
                spans.extend(starts.iter().flat_map(|start| ends.iter().map(|end| (*start, *end))));
                !spans.is_empty()
            }
        }
    }
}

/// One pattern followed from one hit.
struct Walk<'w> {
    index: &'w Index,
    probe: &'w Probe,
    text: &'w str,
    pattern: &'w Pattern,
    steps: u32,
}

impl Walk<'_> {
    /// Calls `found` with each place where slots `slot`… can end when the one before ends at `end`, until it returns
    /// `true`; returns whether it did. What takes too many steps is taken to match.
    fn forward(&mut self, slot: usize, end: usize, found: &mut dyn FnMut(usize) -> bool) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return true;
        }
        let Some(Slot { gap, set, .. }) = self.pattern.slots.get(slot).copied() else {
            return closes(self.pattern.end, self.text, end) && found(end);
        };
        let last = match gap {
            Gap::None => end,
            Gap::Clause(words) => self.breaks().clause_end(end).min(end + longest(words)),
            Gap::Sentence(words) => self.breaks().sentence_end(end).min(end + longest(words)),
        };
        let probe = self.probe;
        for at in end..=last.min(self.text.len()) {
            for hit in probe.by_start.at(at) {
                let hit = probe.hits[hit];
                if self.is_member(hit.atom, set) && self.forward(slot + 1, hit.end as usize, found) {
                    return true;
                }
            }
        }
        if self.index.sets[set as usize].number {
            let numbers = probe.numbers.as_deref().unwrap_or_default();
            let first = numbers.partition_point(|number| number.start < end);
            for number in numbers[first..].iter().take_while(|number| number.start <= last) {
                if self.forward(slot + 1, number.end, found) {
                    return true;
                }
            }
        }
        false
    }

    /// Calls `found` with each place where slots …`slot` can start when the last of them starts at `start`, as
    /// [`forward`](Self::forward) does.
    fn backward(&mut self, slot: usize, start: usize, found: &mut dyn FnMut(usize) -> bool) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return true;
        }
        let Some(before) = slot.checked_sub(1) else {
            return begins(self.pattern.start, self.text, start) && found(start);
        };
        let first = match self.pattern.slots[slot].gap {
            Gap::None => start,
            Gap::Clause(words) => self.breaks().clause_start(start).max(start.saturating_sub(longest(words))),
            Gap::Sentence(words) => self.breaks().sentence_start(start).max(start.saturating_sub(longest(words))),
        };
        let set = self.pattern.slots[before].set;
        let probe = self.probe;
        for at in (first..=start).rev() {
            for hit in probe.by_end.at(at) {
                let hit = probe.hits[hit];
                if self.is_member(hit.atom, set) && self.backward(before, hit.start as usize, found) {
                    return true;
                }
            }
        }
        if self.index.sets[set as usize].number {
            let numbers = probe.numbers.as_deref().unwrap_or_default();
            for number in numbers.iter().filter(|number| first <= number.end && number.end <= start) {
                if self.backward(before, number.start, found) {
                    return true;
                }
            }
        }
        false
    }

    fn breaks(&self) -> &Breaks {
        self.probe.breaks.as_ref().expect("made before a pattern with gaps is followed")
    }

    fn is_member(&self, atom: u32, set: SetId) -> bool {
        let set = &self.index.sets[set as usize];
        match atom.checked_sub(self.index.literals) {
            None => set.literals.binary_search(&atom).is_ok(),
            Some(pattern) => set.patterns.binary_search(&pattern).is_ok(),
        }
    }
}

/// No gap of so many words is longer, in bytes.
fn longest(words: u16) -> usize {
    usize::from(words) * MAX_WORD_CHARS * 4
}

/// Whether a match that starts at byte `at` begins where `edge` wants it.
pub fn begins(edge: Edge, text: &str, at: usize) -> bool {
    match edge {
        Edge::Any => true,
        Edge::Clause => marks::clause_begins(text, at),
        Edge::Turn => marks::turn_begins(text, at),
    }
}

/// Whether a match that ends at byte `at` ends where `edge` wants it.
pub fn closes(edge: Edge, text: &str, at: usize) -> bool {
    match edge {
        Edge::Any => true,
        Edge::Clause => marks::clause_closes(text, at),
        Edge::Turn => marks::turn_closes(text, at),
    }
}

/// A Latin word is not found inside a longer one: `sb` is not in `usb`.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let joined = |a: usize, b: usize| letter(a) && letter(b);
    !(start > 0 && joined(start - 1, start) || joined(end - 1, end))
}

fn automaton<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Literals> {
    let texts: Vec<(&str, u32)> = texts.zip(0..).collect();
    let build = || CharwiseDoubleArrayAhoCorasickBuilder::new().build_with_values(texts.iter().copied());
    (!texts.is_empty()).then(|| Literals(build().expect("entries are not empty and none stands twice")))
}

fn bit(purpose: Purpose) -> u8 {
    1 << purpose as u8
}

/// The purposes of each pattern: its own and those of the patterns that use it.
fn inherit(sets: &[WordSet], patterns: &[Pattern], own: Vec<Option<Purpose>>) -> Vec<u8> {
    let mut purposes: Vec<u8> = own.into_iter().map(|purpose| purpose.map_or(0, bit)).collect();
    // What uses a class has a higher number than its members.
    for id in (0..patterns.len()).rev() {
        for slot in &patterns[id].slots {
            for member in &sets[slot.set as usize].patterns {
                purposes[*member as usize] |= purposes[id];
            }
        }
    }
    purposes
}

/// For each pattern the slot that occurs most rarely in ordinary text; `cost` tells how often a literal occurs.
fn anchors(sets: &[WordSet], patterns: &[Pattern], cost: impl Fn(LiteralId) -> f64) -> Vec<u8> {
    let mut set_costs: Vec<Option<f64>> = vec![None; sets.len()];
    let mut pattern_costs: Vec<f64> = Vec::with_capacity(patterns.len());
    let mut anchors = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        let mut best = (0, f64::INFINITY);
        for (at, slot) in (0..).zip(&pattern.slots) {
            let set = &sets[slot.set as usize];
            let known = *set_costs[slot.set as usize].get_or_insert_with(|| {
                let literals: f64 = set.literals.iter().map(|literal| cost(*literal)).sum();
                let members: f64 = set.patterns.iter().map(|member| pattern_costs[*member as usize]).sum();
                literals + members + if set.number { f64::INFINITY } else { 0.0 }
            });
            if known < best.1 {
                best = (at, known);
            }
        }
        anchors.push(best.0);
        pattern_costs.push(best.1);
    }
    anchors
}

/// For each set literals of which one at least stands in every text that fills it; `None` where a number may.
fn triggers(sets: &[WordSet], patterns: &[Pattern], anchors: &[u8]) -> Vec<Option<Vec<LiteralId>>> {
    let mut triggers: Vec<Option<Vec<LiteralId>>> = Vec::with_capacity(sets.len());
    // A set stands behind its members' sets: members were compiled before it.
    for set in sets {
        let mut own = (!set.number).then(|| set.literals.clone());
        for member in &set.patterns {
            let anchor = patterns[*member as usize].slots[usize::from(anchors[*member as usize])].set;
            own = own.zip(triggers[anchor as usize].as_ref()).map(|(mut own, of_member)| {
                own.extend(of_member);
                own
            });
        }
        if let Some(own) = &mut own {
            own.sort_unstable();
            own.dedup();
        }
        triggers.push(own);
    }
    triggers
}

/// One bit for the kind of a character: marks, blanks, emoji and the ends of the text share one.
fn kind(c: Option<char>) -> u64 {
    match c {
        Some(c) if ('\u{3400}'..='\u{9fff}').contains(&c) || c.is_ascii_alphanumeric() => 1 << (c as u32 % 63),
        Some(c) if c < '\u{1f000}' && c.is_alphanumeric() => 1 << (c as u32 % 63),
        _ => MARK,
    }
}

const MARK: u64 = 1 << 63;

/// For each set the kinds of characters that its members begin and end with.
struct Kinds {
    first: Vec<u64>,
    last: Vec<u64>,
    particles: u64,
}

impl Kinds {
    fn new(sets: &[WordSet], patterns: &[Pattern], literals: &[String], heard: &[bool]) -> Kinds {
        let particles = PARTICLES.chars().fold(MARK, |kinds, c| kinds | kind(Some(c)));
        let mut kinds = Kinds { first: vec![0; sets.len()], last: vec![0; sets.len()], particles };
        // A set stands behind its members' sets: members were compiled before it.
        for (at, set) in sets.iter().enumerate() {
            let (mut first, mut last) = (0, 0);
            for literal in &set.literals {
                let text = &literals[*literal as usize];
                first |= kind(text.chars().next());
                last |= kind(text.chars().next_back());
                // What is heard may be written with any character.
                if heard[*literal as usize] {
                    (first, last) = (!0, !0);
                }
            }
            for member in &set.patterns {
                let slots = &patterns[*member as usize].slots;
                first |= slots.first().map_or(!0, |slot| kinds.first[slot.set as usize]);
                last |= slots.last().map_or(!0, |slot| kinds.last[slot.set as usize]);
            }
            if set.number {
                first |= marks::NUMERALS.chars().chain('0'..='9').fold(MARK, |kinds, c| kinds | kind(Some(c)));
                last |= first;
            }
            (kinds.first[at], kinds.last[at]) = (first, last);
        }
        kinds
    }

    /// What may stand before and behind slot `at` of `pattern`.
    fn beside(&self, pattern: &Pattern, at: usize) -> (u64, u64) {
        let before = match at.checked_sub(1) {
            None => match pattern.start {
                Edge::Any => !0,
                Edge::Clause => MARK,
                Edge::Turn => self.particles,
            },
            Some(before) if pattern.slots[at].gap == Gap::None => self.last[pattern.slots[before].set as usize],
            Some(_) => !0,
        };
        let after = match pattern.slots.get(at + 1) {
            None if pattern.end == Edge::Any => !0,
            None => self.particles,
            Some(slot) if slot.gap == Gap::None => self.first[slot.set as usize],
            Some(_) => !0,
        };
        (before, after)
    }
}
