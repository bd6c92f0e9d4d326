//! Rule files → [`RuleSet`]. Every problem is gathered before giving up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::error::{Diagnostic, LoadError, SourceFile};
use crate::lexicon::cues::Cues;
use crate::lexicon::index::{Index, Parts, Pattern, Purpose, Slot, WordSet};
use crate::lexicon::pattern::{self, Edge, Sequence};
use crate::lexicon::rule::{
    ClassFile, ConditionFile, CuesFile, DialogueFile, DialogueKind, Example, GuardFile, Position, RuleFile, Scope, Text,
};
use crate::lexicon::source::Sources;
use crate::model::{Channel, Family, RuleId, Severity, StatuteRef};
use crate::span::Span;
use crate::text::Segmenter;
use crate::text::normalize::{View, folded_text, plain_text, sound_text};

/// Index into [`RuleSet::literals`].
pub type LiteralId = u32;
/// Index into the sets of a [`RuleSet`].
pub type SetId = u32;
/// Index into the patterns of a [`RuleSet`].
pub type PatternId = u32;
/// Index into [`RuleSet::rules`].
pub type RuleIndex = u32;

/// A compiled condition; see [`Scope`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What it looks at.
    pub scope: Scope,
    /// How many words or turns.
    pub within: Option<usize>,
    /// One of these must stand there; empty: the scope alone decides.
    pub any: Vec<PatternId>,
    /// Where one of these overlaps, the hit of `any` does not count.
    pub unless: Vec<PatternId>,
    /// In how many turns of the scope.
    pub at_least: usize,
    /// The turn has at most so many letters, digits and Han characters.
    pub max_chars: Option<usize>,
    /// The same number for all conditions that ask the same of a whole turn, below the number of questions of its rule set.
    pub question: u32,
}

/// What a dialogue rule counts; see [`DialogueKind`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialogue {
    /// The mechanism.
    pub kind: DialogueKind,
    /// How many turns of evidence it takes.
    pub at_least: usize,
    /// Rules whose flags are evidence.
    pub rules: Vec<RuleIndex>,
    /// How many turns must be evidence by `rules`.
    pub flagged: usize,
    /// What counts as an answer.
    pub answer: Vec<PatternId>,
    /// Within how many agent turns.
    pub within: Option<usize>,
    /// How alike replies must be.
    pub similarity: f64,
    /// The shortest reply that counts, in characters.
    pub min_chars: usize,
    /// The longest wait, in seconds.
    pub seconds: u64,
}

/// A compiled rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    /// `family.kebab-name`
    pub id: RuleId,
    /// The family the id starts with.
    pub family: Family,
    /// What is wrong, in a few Chinese words.
    pub title: String,
    /// How grave it is.
    pub severity: Severity,
    /// Why it is a breach.
    pub why: String,
    /// What to say instead.
    pub advice: String,
    /// Words and what may stand in their place.
    pub replace: BTreeMap<String, String>,
    /// Where the rule comes from.
    pub source: String,
    /// The version that brought it.
    pub since: String,
    /// The articles at risk, with the diagnostic that says where the reference stands should it not resolve.
    #[serde(with = "references")]
    pub statutes: Vec<(StatuteRef, Diagnostic)>,
    /// Channels it applies to.
    pub channels: Vec<Channel>,
    /// The form of the text it looks at.
    pub view: View,
    /// Where the turn must stand.
    pub position: Position,
    /// What fires.
    pub phrases: Vec<PatternId>,
    /// Set on a rule without phrases: every turn of at most so many letters, digits and Han characters is a hit as a whole.
    pub brief: Option<usize>,
    /// Harmless longer phrases.
    pub unless: Vec<PatternId>,
    /// Conditions that must hold.
    pub require: Vec<Condition>,
    /// Conditions of which none may hold, the guards' among them.
    pub exclude: Vec<Condition>,
    /// Set on a rule about the conversation as a whole.
    pub dialogue: Option<Dialogue>,
    /// Set on the rule that weighs the cues of its family.
    pub cues: Option<CuesFile>,
    /// Whether its hits are weighed with the cues: those of a pack are by the rule of the same pack.
    pub weighed: bool,
    /// How many entries and patterns its file holds.
    pub entries: usize,
    /// What it must flag, with the diagnostic for when it does not. Not remembered: see [`cache`](super::cache).
    #[serde(skip)]
    pub examples: Vec<(Example, Diagnostic)>,
    /// What it must not flag, with the diagnostic for when it does.
    #[serde(skip)]
    pub counterexamples: Vec<(Example, Diagnostic)>,
    /// The file it comes from.
    pub path: String,
}

/// All rules, compiled. Immutable; share it between threads by reference.
#[derive(Debug, Serialize, Deserialize)]
pub struct RuleSet {
    /// Sorted by id.
    pub rules: Vec<Rule>,
    /// Every literal of every rule, class and guard, normalised. Not remembered: see [`cache`](super::cache).
    #[serde(skip)]
    pub literals: Vec<String>,
    /// The patterns, and what finds them.
    pub index: Index,
    /// For each pattern the rule that it fires, or is evidence for; none for patterns of classes and conditions.
    pub(crate) owners: Vec<Option<RuleIndex>>,
    /// How many different questions conditions ask of whole turns.
    pub(crate) questions: u32,
    /// Indices of the dialogue rules.
    pub(crate) dialogues: Vec<RuleIndex>,
    /// Indices of the rules about short turns.
    pub(crate) briefs: Vec<RuleIndex>,
    /// Indices of the rules that weigh cues.
    pub(crate) weighers: Vec<RuleIndex>,
    /// The points of cues; empty when no rule weighs them.
    pub cues: Cues,
    /// Word boundaries.
    pub segmenter: Segmenter,
    /// How many entries and patterns the class files hold.
    pub class_entries: usize,
    /// Another for every rule set compiled: tells what was remembered with one from what another finds.
    #[serde(skip, default = "serial")]
    pub(crate) serial: u64,
}

impl RuleSet {
    /// Compiles the files of `sources`.
    ///
    /// # Errors
    /// Every problem found in them.
    pub fn compile(sources: &Sources) -> Result<RuleSet, LoadError> {
        Compiler::default().compile(sources).map_err(|mut problems| {
            problems.sort_by(|a, b| a.location.cmp(&b.location));
            problems.dedup();
            LoadError(problems)
        })
    }

    /// Gives a rule another severity.
    pub fn set_severity(&mut self, id: &str, severity: Severity) {
        if let Some(rule) = self.rules.iter_mut().find(|rule| rule.id.as_str() == id) {
            rule.severity = severity;
        }
    }

    /// Keeps a rule from firing: it applies to no channel any more.
    pub fn disable(&mut self, id: &str) {
        if let Some(rule) = self.rules.iter_mut().find(|rule| rule.id.as_str() == id) {
            rule.channels.clear();
        }
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id)).ok().map(|at| &self.rules[at])
    }
}

#[derive(Default)]
struct Compiler<'s> {
    problems: Vec<Diagnostic>,
    literals: Vec<String>,
    literal_ids: HashMap<String, LiteralId>,
    sets: Vec<WordSet>,
    set_ids: HashMap<WordSet, SetId>,
    patterns: Vec<Pattern>,
    pattern_ids: HashMap<Pattern, PatternId>,
    class_files: BTreeMap<String, (ClassFile, &'s SourceFile)>,
    classes: HashMap<String, Option<WordSet>>,
    class_entries: usize,
    guards: BTreeMap<String, (GuardFile, Vec<Condition>)>,
    sound: BTreeSet<LiteralId>,
}

impl<'s> Compiler<'s> {
    fn compile(mut self, sources: &'s Sources) -> Result<RuleSet, Vec<Diagnostic>> {
        self.read_classes(sources);
        let names: Vec<String> = self.class_files.keys().cloned().collect();
        for name in &names {
            self.class(name, &mut Vec::new());
        }
        self.read_guards(sources);
        let mut rules = self.read_rules(sources);
        rules.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        for pair in rules.windows(2) {
            if pair[0].0.id == pair[1].0.id {
                let message = format!("rule '{}' is also defined in {}", pair[1].0.id, pair[0].0.path);
                self.problems.push(Diagnostic::of_file(
                    &pair[1].0.path,
                    "duplicate-rule",
                    message,
                    "rename one of them",
                ));
            }
        }
        self.link_dialogues(&mut rules);
        let cues = self.read_cues(sources, &mut rules);
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        Ok(self.build(rules.into_iter().map(|(rule, _)| rule).collect(), cues, sources))
    }

    fn problem(&mut self, file: &SourceFile, span: Span, code: &'static str, message: impl Into<String>, help: &str) {
        self.problems.push(file.diagnostic(span, code, message, help));
    }

    fn parse<T: serde::de::DeserializeOwned>(&mut self, file: &SourceFile) -> Option<T> {
        match toml::from_str(&file.text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problems.push(file.toml_error(&error));
                None
            }
        }
    }

    fn check_stem(&mut self, file: &SourceFile, id: &Text, expected: &str) {
        let stem = file.path.rsplit(['/', '\\']).next().and_then(|name| name.strip_suffix(".toml"));
        if stem != Some(expected) {
            let message = format!("id '{}' and file name differ", id.as_ref());
            self.problem(file, id.span(), "id-path", message, "name the file after the id");
        }
    }

    fn read_classes(&mut self, sources: &'s Sources) {
        for file in &sources.classes {
            let Some(class) = self.parse::<ClassFile>(file) else { continue };
            self.check_stem(file, &class.id, class.id.as_ref());
            if class.entries.is_empty() {
                self.problem(file, class.id.span(), "empty-class", "the class has no entries", "add one or remove it");
            }
            self.class_entries += class.entries.len();
            self.class_files.insert(class.id.as_ref().clone(), (class, file));
        }
    }

    /// The words of a class, compiled when first asked for. `None` after a problem, which has been noted.
    fn class(&mut self, name: &str, stack: &mut Vec<String>) -> Option<WordSet> {
        if name == "number" {
            return Some(WordSet { number: true, ..WordSet::default() });
        }
        if let Some(done) = self.classes.get(name) {
            return done.clone();
        }
        let (class, file) = self.class_files.get(name).map(|(class, file)| (class.clone(), *file))?;
        if stack.iter().any(|n| n == name) {
            let message = format!("class '{name}' contains itself: {} → {name}", stack.join(" → "));
            self.problem(file, class.id.span(), "class-cycle", message, "take one of them out");
            return None;
        }
        stack.push(name.to_owned());
        let mut words = WordSet::default();
        let mut seen = BTreeSet::new();
        for entry in &class.entries {
            if !seen.insert(entry_key(entry)) {
                let message = format!("'{}' is listed twice after normalisation", entry.as_ref());
                self.problem(file, entry.span(), "duplicate", message, "remove one");
            }
            for sequence in self.sequences(file, entry) {
                match sequence.places.as_slice() {
                    [place] if !place.whole && sequence.start == Edge::Any && sequence.end == Edge::Any => {
                        if let Some(set) = self.words_of(file, entry, &place.literals, &place.classes, stack) {
                            merge(&mut words, &set);
                        }
                    }
                    _ => words.patterns.extend(self.pattern(file, entry, &sequence, View::Plain, false, stack)),
                }
            }
        }
        for entry in &class.sound {
            let literal = self.literal(&plain_text(entry.as_ref()));
            words.literals.push(literal);
            self.sound.insert(literal);
        }
        words.literals.sort_unstable();
        words.literals.dedup();
        stack.pop();
        self.classes.insert(name.to_owned(), Some(words.clone()));
        Some(words)
    }

    fn sequences(&mut self, file: &SourceFile, entry: &Text) -> Vec<Sequence> {
        match pattern::parse(entry.as_ref()) {
            Ok(sequences) => sequences,
            Err((at, message)) => {
                let start = entry.span().start + 1 + at;
                let end = entry.span().end.saturating_sub(1).max(start);
                let start = (start..=end).find(|i| file.text.is_char_boundary(*i)).unwrap_or(entry.span().start);
                self.problem(file, start..end, "pattern", message, "see docs/rule-language.md for the syntax");
                Vec::new()
            }
        }
    }

    fn literal(&mut self, text: &str) -> LiteralId {
        if let Some(id) = self.literal_ids.get(text) {
            return *id;
        }
        let id = LiteralId::try_from(self.literals.len()).expect("fewer than 2^32 literals");
        self.literals.push(text.to_owned());
        self.literal_ids.insert(text.to_owned(), id);
        id
    }

    fn words_of(
        &mut self,
        file: &SourceFile,
        entry: &Text,
        literals: &[String],
        classes: &[String],
        stack: &mut Vec<String>,
    ) -> Option<WordSet> {
        let mut words = WordSet::default();
        for text in literals {
            let id = self.literal(text);
            words.literals.push(id);
        }
        for name in classes {
            match self.class(name, stack) {
                Some(set) => merge(&mut words, &set),
                None => {
                    if !self.class_files.contains_key(name) {
                        let near = nearest(name, self.class_files.keys());
                        let help = near.map_or("define it in classes/".to_owned(), |n| format!("did you mean '{n}'?"));
                        self.problem(file, entry.span(), "unknown-class", format!("there is no class '{name}'"), &help);
                    }
                    return None;
                }
            }
        }
        words.literals.sort_unstable();
        words.literals.dedup();
        words.patterns.sort_unstable();
        words.patterns.dedup();
        Some(words)
    }

    fn pattern(
        &mut self,
        file: &SourceFile,
        entry: &Text,
        sequence: &Sequence,
        view: View,
        fires: bool,
        stack: &mut Vec<String>,
    ) -> Option<PatternId> {
        let mut slots = Vec::new();
        for place in &sequence.places {
            let literals: Vec<String> = match view {
                View::Folded => place.literals.iter().map(|text| folded_text(text)).collect(),
                View::Plain | View::Sound => place.literals.clone(),
            };
            let words = self.words_of(file, entry, &literals, &place.classes, stack)?;
            if view == View::Sound {
                self.sound.extend(&words.literals);
            }
            let next = SetId::try_from(self.sets.len()).expect("fewer than 2^32 sets");
            let set = *self.set_ids.entry(words.clone()).or_insert(next);
            if set == next {
                self.sets.push(words);
            }
            slots.push(Slot { gap: place.gap, set, whole: place.whole });
        }
        let pattern = Pattern { start: sequence.start, end: sequence.end, slots };
        let next = PatternId::try_from(self.patterns.len()).expect("fewer than 2^32 patterns");
        // What conditions and classes look for is looked for once; what fires belongs to its rule.
        if !fires {
            if let Some(known) = self.pattern_ids.get(&pattern) {
                return Some(*known);
            }
            self.pattern_ids.insert(pattern.clone(), next);
        }
        self.patterns.push(pattern);
        Some(next)
    }

    fn patterns(&mut self, file: &SourceFile, entries: &[Text], view: View, fires: bool) -> Vec<PatternId> {
        let mut seen = BTreeSet::new();
        let mut ids = Vec::new();
        for entry in entries {
            if !seen.insert(entry_key(entry)) {
                let message = format!("'{}' is listed twice after normalisation", entry.as_ref());
                self.problem(file, entry.span(), "duplicate", message, "remove one");
            }
            for sequence in self.sequences(file, entry) {
                ids.extend(self.pattern(file, entry, &sequence, view, fires, &mut Vec::new()));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn condition(&mut self, file: &SourceFile, condition: &ConditionFile, view: View) -> Condition {
        let complete = *condition.scope.as_ref() == Scope::Quoted || condition.max_chars.is_some();
        if condition.any.is_empty() && !complete {
            let message = "the condition has nothing to look for";
            self.problem(file, condition.scope.span(), "empty-condition", message, "give it 'any' or 'max_chars'");
        }
        Condition {
            scope: *condition.scope.as_ref(),
            within: condition.within,
            any: self.patterns(file, &condition.any, view, false),
            unless: self.patterns(file, &condition.unless, view, false),
            at_least: condition.at_least,
            max_chars: condition.max_chars,
            question: 0,
        }
    }

    fn read_guards(&mut self, sources: &'s Sources) {
        for file in &sources.guards {
            let Some(guard) = self.parse::<GuardFile>(file) else { continue };
            self.check_stem(file, &guard.id, guard.id.as_ref());
            let conditions = guard.when.iter().map(|c| self.condition(file, c, View::Plain)).collect();
            self.guards.insert(guard.id.as_ref().clone(), (guard, conditions));
        }
    }

    fn read_rules(&mut self, sources: &'s Sources) -> Vec<(Rule, (DialogueLinks, &'s SourceFile))> {
        let mut rules = Vec::new();
        for file in &sources.rules {
            let Some(rule) = self.parse::<RuleFile>(file) else { continue };
            if let Some(rule) = self.rule(file, rule) {
                rules.push(rule);
            }
        }
        rules
    }

    fn rule(&mut self, file: &'s SourceFile, rule: RuleFile) -> Option<(Rule, (DialogueLinks, &'s SourceFile))> {
        let id = match RuleId::new(rule.id.as_ref()) {
            Ok(id) => id,
            Err(message) => {
                self.problem(file, rule.id.span(), "rule-id", message, "see docs/rule-language.md");
                return None;
            }
        };
        let name = id.as_str().split_once('.').map_or("", |parts| parts.1).to_owned();
        self.check_stem(file, &rule.id, &name);
        let folder = file.path.rsplit(['/', '\\']).nth(1);
        if folder != Some(id.family().as_str()) {
            let message = format!("rule '{id}' stands in folder '{}'", folder.unwrap_or(""));
            self.problem(file, rule.id.span(), "id-path", message, "move it to the folder of its family");
        }
        for (what, text) in
            [("title", &rule.title), ("why", &rule.why), ("advice", &rule.advice), ("source", &rule.source)]
        {
            if text.trim().is_empty() {
                self.problem(file, rule.id.span(), "empty-text", format!("'{what}' is empty"), "write it");
            }
        }
        for (what, empty) in [
            ("example", rule.examples.is_empty()),
            ("counterexample", rule.counterexamples.is_empty()),
            ("statute", rule.statutes.is_empty()),
        ] {
            if empty {
                self.problem(file, rule.id.span(), "missing", format!("the rule has no {what}"), "add one");
            }
        }
        let kind = rule.dialogue.as_ref().map(|d| *d.kind.as_ref());
        let needs_phrases = !matches!(kind, Some(DialogueKind::Repeat | DialogueKind::Slow | DialogueKind::Count));
        let needs_phrases = needs_phrases && rule.cues.is_none();
        let brief = rule.require.iter().filter(|c| *c.scope.as_ref() == Scope::Turn).filter_map(|c| c.max_chars).min();
        if rule.phrases.is_empty() && needs_phrases && (kind.is_some() || brief.is_none()) {
            let help = "add some, or require `in = \"turn\"` with `max_chars` to judge every short turn";
            self.problem(file, rule.id.span(), "missing", "the rule has no phrases", help);
        }

        let statutes = self.statutes(file, &rule.statutes);
        let phrases = self.patterns(file, &rule.phrases, rule.view, true);
        let unless = self.patterns(file, &rule.unless, rule.view, false);
        let require = rule.require.iter().map(|c| self.condition(file, c, rule.view)).collect();
        let mut exclude: Vec<Condition> = rule.exclude.iter().map(|c| self.condition(file, c, rule.view)).collect();
        exclude.extend(self.guards_of(file, &rule, id.family()));
        let (dialogue, links) = match &rule.dialogue {
            Some(dialogue) => {
                let answer = self.patterns(file, &dialogue.answer, View::Plain, false);
                (Some(dialogue_of(dialogue, answer)), dialogue.rules.clone())
            }
            None => (None, Vec::new()),
        };
        let example = |example: &Spanned<Example>, code, message: &str| {
            (example.as_ref().clone(), file.diagnostic(example.span(), code, message, "mend the rule or the example"))
        };
        Some((
            Rule {
                family: id.family(),
                title: rule.title,
                severity: rule.severity,
                why: rule.why,
                advice: rule.advice,
                replace: rule.replace,
                source: rule.source,
                since: rule.since,
                statutes,
                channels: rule.channels,
                view: rule.view,
                position: rule.position,
                brief: brief.filter(|_| phrases.is_empty() && dialogue.is_none()),
                phrases,
                unless,
                require,
                exclude,
                dialogue,
                cues: rule.cues,
                weighed: false,
                entries: rule.phrases.len(),
                examples: rule
                    .examples
                    .iter()
                    .map(|e| example(e, "example", &format!("{id} does not flag this example")))
                    .collect(),
                counterexamples: rule
                    .counterexamples
                    .iter()
                    .map(|e| example(e, "counterexample", &format!("{id} flags this counterexample")))
                    .collect(),
                path: file.path.clone(),
                id,
            },
            (links, file),
        ))
    }

    fn statutes(&mut self, file: &SourceFile, references: &[Text]) -> Vec<(StatuteRef, Diagnostic)> {
        let mut statutes = Vec::new();
        for text in references {
            match text.as_ref().parse() {
                Ok(statute) => {
                    let message = format!("'{}' is not in the statute base", text.as_ref());
                    let help = "see `zhijian statutes list` for the laws and articles";
                    statutes.push((statute, file.diagnostic(text.span(), "statute", message, help)));
                }
                Err(message) => self.problem(file, text.span(), "statute", message, "write it as '消法 56(1)(8)'"),
            }
        }
        statutes
    }

    fn guards_of(&mut self, file: &SourceFile, rule: &RuleFile, family: Family) -> Vec<Condition> {
        for name in rule.guards.iter().chain(&rule.guards_off) {
            if !self.guards.contains_key(name.as_ref()) {
                let help = nearest(name.as_ref(), self.guards.keys())
                    .map_or_else(|| "see guards/".to_owned(), |near| format!("did you mean '{near}'?"));
                let message = format!("there is no guard '{}'", name.as_ref());
                self.problem(file, name.span(), "unknown-guard", message, &help);
            }
        }
        let named = |list: &[Text], id: &str| list.iter().any(|name| name.as_ref() == id);
        let mut conditions = Vec::new();
        for (id, (guard, when)) in &self.guards {
            let of_family = guard.families.iter().any(|f| *f.as_ref() == family);
            if (of_family && !named(&rule.guards_off, id)) || named(&rule.guards, id) {
                conditions.extend(when.iter().cloned());
            }
        }
        conditions
    }

    fn link_dialogues(&mut self, rules: &mut [(Rule, (DialogueLinks, &'s SourceFile))]) {
        let ids: Vec<(RuleId, bool)> = rules.iter().map(|(r, _)| (r.id.clone(), r.dialogue.is_some())).collect();
        for (rule, (links, file)) in rules.iter_mut() {
            let Some(dialogue) = &mut rule.dialogue else { continue };
            for link in links.iter() {
                let wanted = link.as_ref();
                let found = (0..).zip(&ids).filter(|(_, (id, is_dialogue))| {
                    !is_dialogue
                        && match wanted.strip_suffix(".*") {
                            Some(family) => id.family().as_str() == family,
                            None => id.as_str() == wanted,
                        }
                });
                let before = dialogue.rules.len();
                dialogue.rules.extend(found.map(|(index, _)| index));
                if dialogue.rules.len() == before {
                    let message = format!("no turn rule is called '{wanted}'");
                    self.problems.push(file.diagnostic(
                        link.span(),
                        "unknown-rule",
                        message,
                        "write an id or 'family.*'",
                    ));
                }
            }
        }
    }

    /// The table of cues, if a rule weighs them.
    fn read_cues(&mut self, sources: &Sources, rules: &mut [(Rule, (DialogueLinks, &'s SourceFile))]) -> Cues {
        fn pack(rule: &Rule) -> &str {
            rule.path.rsplitn(3, ['/', '\\']).nth(2).unwrap_or("")
        }
        let weighers: Vec<(Family, RuleId, String)> = rules
            .iter()
            .filter(|(rule, _)| rule.cues.is_some())
            .map(|(rule, _)| (rule.family, rule.id.clone(), pack(rule).to_owned()))
            .collect();
        for pair in weighers.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let message = format!("'{}' weighs the cues of this family, too", pair[1].1);
            self.problems.push(Diagnostic::of_file(pair[0].1.as_str(), "cues", message, "keep one of them"));
        }
        for (rule, _) in rules.iter_mut() {
            rule.weighed = rule.cues.is_none()
                && weighers.iter().any(|(family, _, of)| *family == rule.family && of == pack(rule));
        }
        match (weighers.first(), sources.cues.last()) {
            (None, _) => Cues::default(),
            (Some((_, id, _)), None) => {
                let help = "make one with `zhijian rules fit`";
                self.problems.push(Diagnostic::of_file(id.as_str(), "cues", "there is no table of cues", help));
                Cues::default()
            }
            (Some(_), Some(file)) => Cues::parse(file).unwrap_or_else(|problems| {
                self.problems.extend(problems);
                Cues::default()
            }),
        }
    }

    fn build(self, mut rules: Vec<Rule>, cues: Cues, sources: &Sources) -> RuleSet {
        let mut questions: HashMap<_, u32> = HashMap::new();
        for condition in rules.iter_mut().flat_map(|rule| rule.require.iter_mut().chain(&mut rule.exclude)) {
            let next = u32::try_from(questions.len()).expect("fewer than 2^32 conditions");
            let asked = (condition.any.clone(), condition.unless.clone(), condition.max_chars);
            condition.question = *questions.entry(asked).or_insert(next);
        }
        let mut owners: Vec<Option<RuleIndex>> = vec![None; self.patterns.len()];
        // Members of classes are looked for with what uses them; all else is some condition's.
        let mut purposes: Vec<Option<Purpose>> = vec![Some(Purpose::Condition); self.patterns.len()];
        self.sets.iter().flat_map(|set| &set.patterns).for_each(|member| purposes[*member as usize] = None);
        for (index, rule) in (0..).zip(&rules) {
            let purpose = match rule.dialogue.as_ref().map(|dialogue| dialogue.kind) {
                Some(DialogueKind::Unanswered | DialogueKind::Abandoned) => Purpose::Asked,
                // It fires for want of its phrases.
                Some(DialogueKind::Missing) => Purpose::Condition,
                _ if rule.require.iter().any(|condition| condition.scope.is_customer()) => Purpose::Answers,
                _ => Purpose::Fires,
            };
            for pattern in &rule.phrases {
                owners[*pattern as usize] = Some(index).filter(|_| purpose != Purpose::Condition);
                purposes[*pattern as usize] = Some(purpose);
            }
        }
        let mut words: Vec<String> = Vec::new();
        for file in &sources.words {
            let lines = file.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            words.extend(lines.map(plain_text));
        }
        let dialogues = (0..).zip(&rules).filter(|(_, rule)| rule.dialogue.is_some()).map(|(index, _)| index).collect();
        let weighers = (0..).zip(&rules).filter(|(_, rule)| rule.cues.is_some()).map(|(index, _)| index).collect();
        let briefs = (0..).zip(&rules).filter(|(_, rule)| rule.brief.is_some()).map(|(index, _)| index).collect();
        let index = Index::new(Parts {
            sets: self.sets,
            patterns: self.patterns,
            literals: &self.literals,
            sounds: self.sound.iter().map(|id| (*id, sound_text(&self.literals[*id as usize]))).collect(),
            purposes,
            sample: SAMPLE,
        });
        RuleSet {
            rules,
            literals: self.literals,
            index,
            owners,
            questions: u32::try_from(questions.len()).expect("fewer than 2^32 conditions"),
            dialogues,
            briefs,
            weighers,
            cues,
            segmenter: Segmenter::new(words),
            class_entries: self.class_entries,
            serial: serial(),
        }
    }
}

fn serial() -> u64 {
    static SERIAL: AtomicU64 = AtomicU64::new(1);
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// References are remembered without the diagnostics for when they do not resolve: they did.
mod references {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Diagnostic, StatuteRef};

    pub fn serialize<S: Serializer>(statutes: &[(StatuteRef, Diagnostic)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(statutes.iter().map(|(statute, _)| statute))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(StatuteRef, Diagnostic)>, D::Error> {
        let statutes: Vec<StatuteRef> = Deserialize::deserialize(from)?;
        let remembered = |statute| (statute, Diagnostic::of_file("", "statute", String::new(), ""));
        Ok(statutes.into_iter().map(remembered).collect())
    }
}

type DialogueLinks = Vec<Text>;

fn dialogue_of(file: &DialogueFile, answer: Vec<PatternId>) -> Dialogue {
    Dialogue {
        kind: *file.kind.as_ref(),
        at_least: file.at_least,
        rules: Vec::new(),
        flagged: file.flagged,
        answer,
        within: file.within,
        similarity: file.similarity,
        min_chars: file.min_chars,
        seconds: file.seconds,
    }
}

/// Entries with the same key are the same entry written twice.
fn entry_key(entry: &Text) -> String {
    let text = plain_text(entry.as_ref());
    // Blanks matter in Latin text only.
    if text.is_ascii() { text } else { text.replace(' ', "") }
}

fn merge(into: &mut WordSet, from: &WordSet) {
    into.literals.extend(&from.literals);
    into.patterns.extend(&from.patterns);
    into.number |= from.number;
}

/// A day of ordinary service, to tell common literals from rare ones.
const SAMPLE: &str = include_str!("../../corpora/examples/day-2026-09-18.csv");

/// The known name that is most like a mistyped one, if any is.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Option<&'n str> {
    let alike = |other: &str| {
        let common = name.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        let tail = name.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b).count();
        common + tail
    };
    let best = known.max_by_key(|other| alike(other))?;
    (alike(best) * 2 >= name.chars().count()).then_some(best.as_str())
}
