//! A conversation with the analyses of its turns, and the conditions that look at the surroundings of a hit.

use std::cell::OnceCell;

use crate::engine::analysis::Analysis;
use crate::lexicon::{Condition, RuleSet, Scope};
use crate::model::{Channel, Conversation, SpeakerRole};
use crate::span::Span;
use crate::text::ViewText;

/// A conversation under evaluation.
pub struct Context<'r, 'c> {
    pub rules: &'r RuleSet,
    pub conversation: &'c Conversation<'c>,
    plain: Vec<OnceCell<Analysis<'r>>>,
    folded: Vec<OnceCell<Analysis<'r>>>,
}

/// A hit whose surroundings are asked about.
pub struct Place<'p, 'r> {
    pub turn: usize,
    pub analysis: &'p Analysis<'r>,
    /// In bytes of the analysed view.
    pub span: Span,
}

impl<'r, 'c> Context<'r, 'c> {
    pub fn new(rules: &'r RuleSet, conversation: &'c Conversation<'c>) -> Context<'r, 'c> {
        let cells = || conversation.turns.iter().map(|_| OnceCell::new()).collect();
        Context { rules, conversation, plain: cells(), folded: cells() }
    }

    pub fn plain(&self, turn: usize) -> &Analysis<'r> {
        self.plain[turn].get_or_init(|| {
            let by_sound = self.conversation.channel == Channel::Call;
            Analysis::new(self.rules, ViewText::plain(self.conversation.turns[turn].text), by_sound)
        })
    }

    pub fn folded(&self, turn: usize) -> &Analysis<'r> {
        self.folded[turn].get_or_init(|| Analysis::new(self.rules, self.plain(turn).view().folded(), false))
    }

    /// How many of the analysed turns had too many hits to look at all.
    pub fn truncated(&self) -> usize {
        let analysed = self.plain.iter().chain(&self.folded).filter_map(OnceCell::get);
        analysed.filter(|analysis| analysis.truncated()).count()
    }

    pub fn turns_of(&self, role: SpeakerRole) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let numbered = self.conversation.turns.iter().enumerate();
        numbered.filter(move |(_, turn)| turn.role == role).map(|(at, _)| at)
    }

    /// Whether `condition` holds for the hit at `place`.
    pub fn holds(&self, condition: &Condition, place: &Place<'_, 'r>) -> bool {
        let Place { turn, analysis, span } = place;
        let whole = 0..analysis.view().text().len();
        let region = match condition.scope {
            Scope::Before => {
                let clause = analysis.clause(span).start;
                let back = condition.within.map_or(clause, |n| analysis.words().back(span.start, n));
                clause.max(back)..span.start
            }
            Scope::After => {
                let clause = analysis.clause(span).end;
                let forward = condition.within.map_or(clause, |n| analysis.words().forward(span.end, n));
                span.end..clause.min(forward).max(span.end)
            }
            Scope::Clause => analysis.clause(span),
            Scope::Sentence => analysis.sentence(span),
            Scope::Turn => whole,
            Scope::Quoted => {
                let quoted = analysis.quoted(span);
                return quoted && (condition.any.is_empty() || self.says(condition, analysis, &whole));
            }
            _ => {
                let turns = self.turns_in(condition, *turn);
                return turns
                    .into_iter()
                    .filter(|t| self.turn_says(condition, *t))
                    .nth(condition.at_least - 1)
                    .is_some();
            }
        };
        self.says(condition, analysis, &region)
    }

    /// Whether turn `turn` holds a phrase of `condition`.
    pub fn turn_says(&self, condition: &Condition, turn: usize) -> bool {
        let analysis = self.plain(turn);
        self.says(condition, analysis, &(0..analysis.view().text().len()))
    }

    fn says(&self, condition: &Condition, analysis: &Analysis<'r>, region: &Span) -> bool {
        analysis.any_in(&condition.any, region, &condition.unless)
    }

    fn turns_in(&self, condition: &Condition, turn: usize) -> Vec<usize> {
        let within = condition.within.unwrap_or(1);
        let before = |role| self.turns_of(role).rev().filter(move |at| *at < turn);
        let after = |role| self.turns_of(role).filter(move |at| *at > turn);
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
