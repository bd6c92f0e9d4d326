//! A conversation with the analyses of its turns, and the conditions that look at the surroundings of a hit.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::engine::analysis::Analysis;
use crate::engine::memory::{Known, Lens};
use crate::lexicon::cues::{Place, Points};
use crate::lexicon::{Condition, Rule, RuleSet, Scope};
use crate::model::{Channel, Conversation, SpeakerRole};

/// A conversation under evaluation.
pub struct Context<'r, 'c> {
    pub conversation: &'c Conversation<'c>,
    pub lens: Lens<'r>,
    /// One a turn; most conversations need none.
    known: OnceCell<Vec<OnceCell<Rc<Known>>>>,
}

impl<'r, 'c> Context<'r, 'c> {
    pub fn new(rules: &'r RuleSet, conversation: &'c Conversation<'c>, eager: bool) -> Context<'r, 'c> {
        let customer = conversation.turns.iter().any(|turn| turn.role == SpeakerRole::Customer);
        let lens = Lens { rules, by_sound: conversation.channel == Channel::Call, answers: customer, eager };
        Context { conversation, lens, known: OnceCell::new() }
    }

    fn cell(&self, turn: usize) -> &OnceCell<Rc<Known>> {
        &self.known.get_or_init(|| self.conversation.turns.iter().map(|_| OnceCell::new()).collect())[turn]
    }

    /// Takes over what is known of a turn.
    pub fn set(&self, turn: usize, known: Rc<Known>) {
        self.cell(turn).get_or_init(|| known);
    }

    /// What is known of a turn.
    pub fn known(&self, turn: usize) -> &Known {
        self.cell(turn).get_or_init(|| {
            let row = &self.conversation.turns[turn];
            // What agents say was recalled when they were judged.
            let recalled = if row.role == SpeakerRole::Agent { None } else { self.lens.recall(row.text) };
            recalled.unwrap_or_default()
        })
    }

    /// The points of turn `turn` in `place`.
    pub fn points(&self, turn: usize, place: Place) -> Points {
        self.known(turn).points(self.lens, self.conversation.turns[turn].text, place)
    }

    pub fn plain(&self, turn: usize) -> Analysis<'_> {
        self.known(turn).plain(self.lens, self.conversation.turns[turn].text)
    }

    pub fn folded(&self, turn: usize) -> Analysis<'_> {
        self.known(turn).folded(self.lens, self.conversation.turns[turn].text)
    }

    /// The views of a turn that phrases are looked for in.
    pub fn views(&self, turn: usize) -> impl Iterator<Item = Analysis<'_>> {
        self.known(turn).views(self.lens, self.conversation.turns[turn].text)
    }

    /// How many of the analysed views had too many hits to look at all.
    pub fn truncated(&self) -> usize {
        self.known.get().into_iter().flatten().filter_map(OnceCell::get).map(|known| known.truncated()).sum()
    }

    pub fn turns_of(&self, role: SpeakerRole) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let numbered = self.conversation.turns.iter().enumerate();
        numbered.filter(move |(_, turn)| turn.role == role).map(|(at, _)| at)
    }

    /// Whether the conditions of `rule` that look at other turns hold for a hit in turn `turn`.
    pub fn surroundings_hold(&self, rule: &Rule, turn: usize) -> bool {
        let far = |condition: &&Condition| !condition.scope.is_local();
        let holds = |condition: &Condition| {
            let turns = self.turns_in(condition, turn).into_iter();
            turns.filter(|turn| self.turn_says(condition, *turn)).nth(condition.at_least - 1).is_some()
        };
        rule.require.iter().filter(far).all(holds) && !rule.exclude.iter().filter(far).any(holds)
    }

    /// Whether turn `turn` holds a phrase of `condition`.
    fn turn_says(&self, condition: &Condition, turn: usize) -> bool {
        self.plain(turn).says_anywhere(condition)
    }

    fn turns_in(&self, condition: &Condition, turn: usize) -> Vec<usize> {
        let within = condition.within.unwrap_or(1);
        let turns = &self.conversation.turns;
        let before = |role| (0..turn).rev().filter(move |at| turns[*at].role == role);
        let after = |role| (turn + 1..turns.len()).filter(move |at| turns[*at].role == role);
        match condition.scope {
            Scope::CustomerBefore => before(SpeakerRole::Customer).take(within).collect(),
            Scope::CustomerEver => before(SpeakerRole::Customer).collect(),
            Scope::CustomerAfter => after(SpeakerRole::Customer).take(within).collect(),
            Scope::AgentBefore => before(SpeakerRole::Agent).take(within).collect(),
            Scope::AgentEver => before(SpeakerRole::Agent).collect(),
            Scope::AgentAfter => after(SpeakerRole::Agent).take(within).collect(),
            Scope::Utterance => self.utterance(turn),
            _ => unreachable!("scopes inside the turn are handled by their regions"),
        }
    }

    /// The turn and those of the same speaker next to it, notices of the desk software aside.
    fn utterance(&self, turn: usize) -> Vec<usize> {
        let turns = &self.conversation.turns;
        let role = turns[turn].role;
        let together = |at: &usize| turns[*at].role == role || turns[*at].role == SpeakerRole::System;
        let same = |at: &usize| turns[*at].role == role;
        let mut all: Vec<usize> = (0..turn).rev().take_while(together).filter(same).collect();
        all.push(turn);
        all.extend((turn + 1..turns.len()).take_while(together).filter(same));
        all
    }
}
