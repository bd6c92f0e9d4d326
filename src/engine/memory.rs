//! What is known of a turn for itself, and the memory that keeps it for turns that say the same: agents paste replies.
//!
//! A text is remembered when it comes a second time, so that what is never said again costs next to nothing.

use std::cell::{OnceCell, RefCell};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHasher};

use crate::engine::analysis::{Analysis, Facts};
use crate::lexicon::cues::{Place, Points};
use crate::lexicon::index::{Probe, Purpose};
use crate::lexicon::{RuleIndex, RuleSet};
use crate::text::normalize::View;
use crate::text::{ViewText, fold_into, gate_text, traits};

/// How many texts one thread remembers, about 2 KiB each; with more of them it begins anew.
const MAX_KNOWN: usize = 4096;
/// Longer texts are not pasted replies. In bytes.
const MAX_LENGTH: usize = 1024;
/// How many texts the memory of first sights tells apart; a power of two.
const SIGHTS: usize = 1 << 18;

/// What the first stage says of a turn.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Whether it may fire a rule about the turn.
    pub fires: bool,
    /// How many letters, digits and Han characters it has; [`usize::MAX`] when more than any rule about short turns asks.
    pub chars: usize,
    /// The rules about the conversation that it may be evidence for, sorted.
    pub evidence: Vec<RuleIndex>,
}

/// All that is known of a text.
#[derive(Debug, Default)]
pub struct Known {
    agent: OnceCell<Look>,
    customer: OnceCell<Vec<RuleIndex>>,
    /// By place.
    points: [OnceCell<Points>; Place::ALL.len()],
    plain: OnceCell<Box<Facts>>,
    folded: OnceCell<Box<Facts>>,
    /// Kept for turns to come: what is found out is found out whole.
    kept: bool,
}

/// How the text of a turn is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Lens<'r> {
    pub rules: &'r RuleSet,
    pub by_sound: bool,
    /// Whether there is a customer to answer: where there is none, what only answers may fire is not looked for.
    pub answers: bool,
    /// Nothing is left out for what the first stage says of it, and nothing is remembered.
    pub eager: bool,
}

#[derive(Default)]
struct Memory {
    rules: u64,
    /// By sound and not, with and without a customer to answer.
    known: [FxHashMap<Box<str>, Rc<Known>>; 4],
    sights: Vec<u32>,
}

#[derive(Default)]
struct Workspace {
    plain: Probe,
    folded: Probe,
    text: String,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl<'r> Lens<'r> {
    /// What is remembered of `text`; it is worth remembering from the second call on.
    pub fn recall(&self, text: &str) -> Option<Rc<Known>> {
        if self.eager || text.len() > MAX_LENGTH {
            return None;
        }
        MEMORY.with_borrow_mut(|memory| {
            if memory.rules != self.rules.serial {
                *memory = Memory { rules: self.rules.serial, sights: vec![0; SIGHTS], ..Memory::default() };
            }
            let known = &mut memory.known[usize::from(self.by_sound) | usize::from(self.answers) << 1];
            if let Some(known) = known.get(text) {
                return Some(Rc::clone(known));
            }
            let mut hasher = FxHasher::default();
            text.hash(&mut hasher);
            let hash = hasher.finish();
            let (place, mark) = (hash as usize % SIGHTS, (hash >> 32) as u32 | 1);
            if std::mem::replace(&mut memory.sights[place], mark) != mark {
                return None;
            }
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            let new = Rc::new(Known { kept: true, ..Known::default() });
            known.insert(text.into(), Rc::clone(&new));
            Some(new)
        })
    }

    /// The first stage on an agent's `text`.
    pub fn agent_look(&self, text: &str, known: Option<&Known>) -> Look {
        match known {
            Some(known) => {
                let look = known.agent.get_or_init(|| {
                    let look = self.look_at_agent(text);
                    let stands = |analysis: Analysis<'_>| !analysis.standing().is_empty();
                    let fires = look.fires && known.views(*self, text).any(stands);
                    Look { fires, ..look }
                });
                look.clone()
            }
            None => self.look_at_agent(text),
        }
    }

    /// The rules about the conversation that a customer's `text` may be evidence for.
    pub fn customer_look(&self, text: &str, known: &Known) -> Vec<RuleIndex> {
        let look = || {
            WORKSPACE.with_borrow_mut(|Workspace { plain, .. }| {
                let mut evidence = Vec::new();
                self.look(&gate_text(text, traits(text)), &[Purpose::Asked], None, plain, &mut evidence);
                sorted(evidence)
            })
        };
        known.customer.get_or_init(look).clone()
    }

    /// What is looked for in an agent's text.
    pub fn spoken(&self) -> &'static [Purpose] {
        if self.answers { &[Purpose::Fires, Purpose::Answers] } else { &[Purpose::Fires] }
    }

    fn look_at_agent(&self, text: &str) -> Look {
        WORKSPACE.with_borrow_mut(|Workspace { plain, folded, text: folding }| {
            let traits = traits(text);
            let normal = gate_text(text, traits);
            let mut evidence = Vec::new();
            let purposes = self.spoken();
            let mut fires = self.look(&normal, purposes, None, plain, &mut evidence);
            if traits.folds {
                folding.clear();
                fold_into(&normal, folding);
                let lens = Lens { by_sound: false, ..*self };
                fires |= lens.look(folding, purposes, Some(View::Folded), folded, &mut evidence);
            }
            Look { fires, chars: self.chars(text), evidence: sorted(evidence) }
        })
    }

    fn chars(&self, text: &str) -> usize {
        let longest = self.rules.briefs.iter().filter_map(|rule| self.rules.rules[*rule as usize].brief).max();
        let Some(longest) = longest else { return usize::MAX };
        let chars = text.chars().filter(|c| c.is_alphanumeric()).take(longest + 1).count();
        if chars <= longest { chars } else { usize::MAX }
    }

    fn look(
        &self,
        text: &str,
        purposes: &[Purpose],
        view: Option<View>,
        probe: &mut Probe,
        evidence: &mut Vec<RuleIndex>,
    ) -> bool {
        self.rules.index.find(text, self.by_sound, probe);
        purposes.iter().for_each(|purpose| self.rules.index.run(*purpose, text, probe));
        // What was cut off is counted where the turn is looked at in full.
        let mut fires = probe.truncated;
        for rule in probe.active().iter().filter_map(|pattern| self.rules.owners[*pattern as usize]) {
            let definition = &self.rules.rules[rule as usize];
            if view.is_none_or(|view| view == definition.view) {
                match &definition.dialogue {
                    Some(_) => evidence.push(rule),
                    None => fires = true,
                }
            }
        }
        fires
    }
}

fn sorted(mut rules: Vec<RuleIndex>) -> Vec<RuleIndex> {
    rules.sort_unstable();
    rules.dedup();
    rules
}

impl Known {
    /// The plain view of `text`, which this is known of.
    pub fn plain<'a>(&'a self, lens: Lens<'a>, text: &str) -> Analysis<'a> {
        let facts = self.plain.get_or_init(|| self.facts(lens, View::Plain, ViewText::plain(text)));
        Analysis::new(lens.rules, facts)
    }

    /// The folded view of `text`.
    pub fn folded<'a>(&'a self, lens: Lens<'a>, text: &str) -> Analysis<'a> {
        let folded = || {
            let folded = self.plain(lens, text).view().folded();
            self.facts(Lens { by_sound: false, ..lens }, View::Folded, folded)
        };
        Analysis::new(lens.rules, self.folded.get_or_init(folded))
    }

    /// The views of `text` that phrases are looked for in.
    pub fn views<'a>(&'a self, lens: Lens<'a>, text: &str) -> impl Iterator<Item = Analysis<'a>> {
        let folded = traits(text).folds.then(|| self.folded(lens, text));
        std::iter::once(self.plain(lens, text)).chain(folded)
    }

    fn facts(&self, lens: Lens<'_>, view: View, text: ViewText) -> Box<Facts> {
        let mut probe = Probe::default();
        lens.rules.index.find(text.text(), lens.by_sound, &mut probe);
        if self.kept {
            lens.rules.index.finish(text.text(), &mut probe);
        }
        Box::new(Facts::new(view, text, probe, lens.spoken(), lens.eager))
    }

    /// The points of `text` for its cues in `place`.
    pub fn points(&self, lens: Lens<'_>, text: &str, place: Place) -> Points {
        *self.points[place as usize].get_or_init(|| lens.rules.cues.sum(place, &gate_text(text, traits(text))))
    }

    /// Whether this is kept for turns to come.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// In how many views some hits were left out.
    pub fn truncated(&self) -> usize {
        [&self.plain, &self.folded].into_iter().filter_map(OnceCell::get).filter(|facts| facts.truncated()).count()
    }
}
