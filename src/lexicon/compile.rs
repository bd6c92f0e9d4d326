//! Rule files → [`RuleSet`]. Every problem is gathered before giving up.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use rustc_hash::FxHashMap;
use toml::Spanned;

use crate::error::{Diagnostic, LoadError, SourceFile};
use crate::lexicon::filter::{Filter, Places, Triggers};
use crate::lexicon::pattern::{self, Edge, Gap, Sequence};
use crate::lexicon::rule::{
    ClassFile, ConditionFile, DialogueFile, DialogueKind, Example, GuardFile, Position, RuleFile, Scope, Text,
};
use crate::lexicon::source::Sources;
use crate::model::{Channel, Family, RuleId, Severity, StatuteRef};
use crate::span::Span;
use crate::text::normalize::{View, folded_text, plain_text, sound_text};
use crate::text::{Segmenter, Traits};

/// Index into [`RuleSet::literals`].
pub type LiteralId = u32;
/// Index into the sets of a [`RuleSet`].
pub type SetId = u32;
/// Index into the patterns of a [`RuleSet`].
pub type PatternId = u32;
/// Index into [`RuleSet::rules`].
pub type RuleIndex = u32;

/// Words that may stand for one another at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct WordSet {
    /// Sorted.
    pub literals: Vec<LiteralId>,
    /// Members that are sequences themselves; sorted.
    pub patterns: Vec<PatternId>,
    /// Whether any number is a member.
    pub number: bool,
}

/// One place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// How it follows the slot before.
    pub gap: Gap,
    /// What may stand here.
    pub set: SetId,
    /// Only where words begin and end.
    pub whole: bool,
}

/// A compiled sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Where a match must begin.
    pub start: Edge,
    /// Where a match must end.
    pub end: Edge,
    /// At least one.
    pub slots: Vec<Slot>,
}

/// A compiled condition; see [`Scope`].
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// What a dialogue rule counts; see [`DialogueKind`].
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone)]
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
    pub statutes: Vec<(StatuteRef, Diagnostic)>,
    /// Channels it applies to.
    pub channels: Vec<Channel>,
    /// The form of the text it looks at.
    pub view: View,
    /// Where the turn must stand.
    pub position: Position,
    /// What fires.
    pub phrases: Vec<PatternId>,
    /// Harmless longer phrases.
    pub unless: Vec<PatternId>,
    /// Conditions that must hold.
    pub require: Vec<Condition>,
    /// Conditions of which none may hold, the guards' among them.
    pub exclude: Vec<Condition>,
    /// Set on a rule about the conversation as a whole.
    pub dialogue: Option<Dialogue>,
    /// How many entries and patterns its file holds.
    pub entries: usize,
    /// What it must flag, with the diagnostic for when it does not.
    pub examples: Vec<(Example, Diagnostic)>,
    /// What it must not flag, with the diagnostic for when it does.
    pub counterexamples: Vec<(Example, Diagnostic)>,
    /// The file it comes from.
    pub path: String,
}

/// All rules, compiled. Immutable; share it between threads by reference.
#[derive(Debug)]
pub struct RuleSet {
    /// Sorted by id.
    pub rules: Vec<Rule>,
    /// Every literal of every rule, class and guard, normalised.
    pub literals: Vec<String>,
    pub(crate) places: Places,
    /// Wakes every pattern, those of classes and conditions too.
    pub(crate) wakes: Triggers,
    /// For each pattern the rule that it fires; none for patterns of classes, conditions and customer turns.
    pub(crate) owners: Vec<Option<RuleIndex>>,
    /// Finds all literals, overlapping; built when the first turn passes the gate.
    all: OnceLock<AhoCorasick>,
    /// Finds whether a turn can fire any rule.
    pub(crate) gate: Gate,
    pub(crate) sound: Option<(AhoCorasick, Vec<LiteralId>)>,
    /// Indices of the dialogue rules.
    pub(crate) dialogues: Vec<RuleIndex>,
    /// Word boundaries.
    pub segmenter: Segmenter,
    /// How many entries and patterns the class files hold.
    pub class_entries: usize,
}

/// The first stage: whether a turn is worth a closer look. Each filter is built when the first turn needs it.
#[derive(Debug)]
pub struct Gate {
    plain: Filter,
    folded: Filter,
    sound: Option<Filter>,
    customer: Filter,
}

thread_local! {
    /// Many turns fold and few of them pass: the buffer is used again.
    static FOLDED: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Gate {
    /// Whether an agent turn with this text can fire a rule. `traits` are those of the text.
    pub fn agent(&self, places: &Places, text: &str, traits: Traits, channel: Channel) -> bool {
        let plain = crate::text::gate_text(text, traits);
        if self.plain.passes(places, &plain) {
            return true;
        }
        if traits.folds
            && FOLDED.with_borrow_mut(|folded| {
                folded.clear();
                crate::text::fold_into(&plain, folded);
                self.folded.passes(places, folded)
            })
        {
            return true;
        }
        // Both forms at once: one place of a pattern may be heard wrong and the others right.
        let both = || format!("{plain}\n{}", sound_text(&plain));
        channel == Channel::Call && self.sound.as_ref().is_some_and(|sound| sound.passes(places, &both()))
    }

    /// Whether a customer turn can be evidence of a dialogue rule.
    pub fn customer(&self, places: &Places, text: &str, traits: Traits) -> bool {
        self.customer.passes(places, &crate::text::gate_text(text, traits))
    }
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

    pub(crate) fn all(&self) -> &AhoCorasick {
        self.all.get_or_init(|| automaton(&self.literals))
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
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        Ok(self.build(rules.into_iter().map(|(rule, _)| rule).collect(), sources))
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
                    _ => words.patterns.extend(self.pattern(file, entry, &sequence, View::Plain, stack)),
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
        let id = PatternId::try_from(self.patterns.len()).expect("fewer than 2^32 patterns");
        self.patterns.push(Pattern { start: sequence.start, end: sequence.end, slots });
        Some(id)
    }

    fn patterns(&mut self, file: &SourceFile, entries: &[Text], view: View) -> Vec<PatternId> {
        let mut seen = BTreeSet::new();
        let mut ids = Vec::new();
        for entry in entries {
            if !seen.insert(entry_key(entry)) {
                let message = format!("'{}' is listed twice after normalisation", entry.as_ref());
                self.problem(file, entry.span(), "duplicate", message, "remove one");
            }
            for sequence in self.sequences(file, entry) {
                ids.extend(self.pattern(file, entry, &sequence, view, &mut Vec::new()));
            }
        }
        ids
    }

    fn condition(&mut self, file: &SourceFile, condition: &ConditionFile, view: View) -> Condition {
        if condition.any.is_empty() && *condition.scope.as_ref() != Scope::Quoted {
            let message = "the condition has nothing to look for";
            self.problem(file, condition.scope.span(), "empty-condition", message, "give it 'any'");
        }
        Condition {
            scope: *condition.scope.as_ref(),
            within: condition.within,
            any: self.patterns(file, &condition.any, view),
            unless: self.patterns(file, &condition.unless, view),
            at_least: condition.at_least,
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
        if rule.phrases.is_empty() && needs_phrases {
            self.problem(file, rule.id.span(), "missing", "the rule has no phrases", "add some");
        }

        let statutes = self.statutes(file, &rule.statutes);
        let phrases = self.patterns(file, &rule.phrases, rule.view);
        let unless = self.patterns(file, &rule.unless, rule.view);
        let require = rule.require.iter().map(|c| self.condition(file, c, rule.view)).collect();
        let mut exclude: Vec<Condition> = rule.exclude.iter().map(|c| self.condition(file, c, rule.view)).collect();
        exclude.extend(self.guards_of(file, &rule, id.family()));
        let (dialogue, links) = match &rule.dialogue {
            Some(dialogue) => {
                let answer = self.patterns(file, &dialogue.answer, View::Plain);
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
                phrases,
                unless,
                require,
                exclude,
                dialogue,
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

    /// The literals that `patterns` and the patterns of their classes look for, and all those patterns.
    fn reach(&self, patterns: &[PatternId]) -> (BTreeSet<LiteralId>, BTreeSet<PatternId>) {
        let (mut literals, mut reached, mut seen) = (BTreeSet::new(), BTreeSet::new(), vec![false; self.sets.len()]);
        let mut pending: Vec<PatternId> = patterns.to_vec();
        while let Some(pattern) = pending.pop() {
            if !reached.insert(pattern) {
                continue;
            }
            for slot in &self.patterns[pattern as usize].slots {
                if !std::mem::replace(&mut seen[slot.set as usize], true) {
                    let words = &self.sets[slot.set as usize];
                    literals.extend(&words.literals);
                    pending.extend(&words.patterns);
                }
            }
        }
        (literals, reached)
    }

    fn build(self, rules: Vec<Rule>, sources: &Sources) -> RuleSet {
        let frequencies = frequencies(&self.literals);
        let mut anchors = Anchors { compiler: &self, frequencies, costs: FxHashMap::default() };
        let mut owners: Vec<Option<RuleIndex>> = vec![None; self.patterns.len()];
        let (mut plain, mut folded, mut customer) = (Vec::new(), Vec::new(), Vec::new());
        for (index, rule) in (0..).zip(&rules) {
            let kind = rule.dialogue.as_ref().map(|d| d.kind);
            let of_customer = matches!(kind, Some(DialogueKind::Unanswered | DialogueKind::Abandoned));
            // "Missing" fires for want of its phrases; they need no gate.
            let missing = kind == Some(DialogueKind::Missing);
            for pattern in &rule.phrases {
                owners[*pattern as usize] = Some(index).filter(|_| !of_customer);
                if of_customer {
                    customer.push(*pattern);
                } else if !missing {
                    plain.push(*pattern);
                    if rule.view == View::Folded {
                        folded.push(*pattern);
                    }
                }
            }
        }
        let count = self.literals.len();
        let mut triggers = |patterns: &mut dyn Iterator<Item = PatternId>| {
            let anchors = |pattern| Some(anchors.slot_literals(pattern)?.into_iter().collect());
            Triggers::new(patterns, count, anchors)
        };
        let mut filter = |patterns: &[PatternId], by_sound: bool| {
            let (literals, reached) = self.reach(patterns);
            let literals = literals.into_iter().map(|id| {
                let text = &self.literals[id as usize];
                (id, if by_sound && self.sound.contains(&id) { sound_text(text) } else { text.clone() })
            });
            Filter::new(patterns, triggers(&mut reached.into_iter()), literals)
        };
        let heard = |pattern: &PatternId| self.reach(&[*pattern]).0.iter().any(|id| self.sound.contains(id));
        let by_sound: Vec<PatternId> = plain.iter().copied().filter(heard).collect();
        let gate = Gate {
            plain: filter(&plain, false),
            folded: filter(&folded, false),
            sound: (!by_sound.is_empty()).then(|| filter(&by_sound, true)),
            customer: filter(&customer, false),
        };
        let wakes = triggers(&mut (0..).take(self.patterns.len()));
        let costs: Vec<f64> = (0..).take(self.sets.len()).map(|set| anchors.cost(set)).collect();
        let sound_ids: Vec<LiteralId> = self.sound.iter().copied().collect();
        let sound_literals: Vec<String> = sound_ids.iter().map(|id| sound_text(&self.literals[*id as usize])).collect();
        let mut words: Vec<String> = Vec::new();
        for file in &sources.words {
            let lines = file.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            words.extend(lines.map(plain_text));
        }
        let dialogues = (0..).zip(&rules).filter(|(_, rule)| rule.dialogue.is_some()).map(|(index, _)| index).collect();
        RuleSet {
            all: OnceLock::new(),
            gate,
            sound: (!sound_ids.is_empty()).then(|| (automaton(&sound_literals), sound_ids)),
            rules,
            literals: self.literals,
            places: Places::new(self.sets, self.patterns, count, |set| costs[set as usize]),
            wakes,
            owners,
            dialogues,
            segmenter: Segmenter::new(words),
            class_entries: self.class_entries,
        }
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

/// Standard match kind, because overlapping searches need it; a contiguous NFA, because it builds ten times faster than
/// a DFA and start-up counts (figures in benches/README.md).
pub(crate) fn automaton<T: AsRef<[u8]>>(literals: &[T]) -> AhoCorasick {
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(literals)
        .expect("the rule files hold far fewer states than the automaton can take")
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

/// Chooses, for each pattern, the slot without which it cannot match and that occurs most rarely in ordinary text.
struct Anchors<'c, 's> {
    compiler: &'c Compiler<'s>,
    /// For each literal how often it is to be expected in a turn.
    frequencies: Vec<f64>,
    costs: FxHashMap<SetId, f64>,
}

impl Anchors<'_, '_> {
    /// How often a set can be expected in a turn: the rarer, the better an anchor.
    fn cost(&mut self, set: SetId) -> f64 {
        if let Some(cost) = self.costs.get(&set) {
            return *cost;
        }
        let words = &self.compiler.sets[set as usize];
        let mut cost = if words.number { 1e6 } else { 0.0 };
        for literal in &words.literals {
            cost += self.frequencies[*literal as usize];
        }
        for pattern in words.patterns.clone() {
            cost += self.best(pattern).1;
        }
        self.costs.insert(set, cost);
        cost
    }

    fn best(&mut self, pattern: PatternId) -> (SetId, f64) {
        let slots = self.compiler.patterns[pattern as usize].slots.clone();
        let costs = slots.iter().map(|slot| (slot.set, self.cost(slot.set)));
        costs.min_by(|a, b| a.1.total_cmp(&b.1)).expect("a pattern has at least one slot")
    }

    /// Literals of which one must be found before the pattern can match; `None` when a number alone would do.
    fn slot_literals(&mut self, pattern: PatternId) -> Option<BTreeSet<LiteralId>> {
        let (set, _) = self.best(pattern);
        let words = self.compiler.sets[set as usize].clone();
        if words.number {
            return None;
        }
        let mut literals: BTreeSet<LiteralId> = words.literals.into_iter().collect();
        for pattern in words.patterns {
            literals.extend(self.slot_literals(pattern)?);
        }
        Some(literals)
    }
}

/// A day of ordinary service, to tell common literals from rare ones.
const SAMPLE: &str = include_str!("../../corpora/examples/day-2026-09-18.csv");

/// How often each literal is to be expected: no more often than its rarest pair of characters stands in the sample, and
/// a little more the shorter it is.
fn frequencies(literals: &[String]) -> Vec<f64> {
    let mut singles: FxHashMap<char, u32> = FxHashMap::default();
    let mut pairs: FxHashMap<(char, char), u32> = FxHashMap::default();
    let mut before = '\n';
    for c in SAMPLE.chars() {
        *singles.entry(c).or_default() += 1;
        *pairs.entry((before, c)).or_default() += 1;
        before = c;
    }
    let frequency = |literal: &String| {
        let chars: Vec<char> = literal.chars().collect();
        let pair = |pair: &[char]| pairs.get(&(pair[0], pair[1])).copied().unwrap_or(0);
        let single = |c: &char| singles.get(c).copied().unwrap_or(0);
        let seen = chars.windows(2).map(pair).min().or_else(|| chars.first().map(single)).unwrap_or(0);
        let unseen = match chars.len() {
            0 | 1 => 3.0,
            2 => 0.3,
            3 => 0.02,
            _ => 0.002,
        };
        // Each further pair makes a literal rarer than its rarest one.
        f64::from(seen) / (chars.len().max(2) - 1) as f64 + unseen
    };
    literals.iter().map(frequency).collect()
}

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
