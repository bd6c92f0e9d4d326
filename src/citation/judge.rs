//! Mentions → verdicts: which version is meant, whether it has the place, and whether the place says what is said of it.

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::citation::content::{ContentIndex, EntryId, Fit};
use crate::citation::find::{Mention, Named, is_about_the_past, sentence};
use crate::citation::finding::{Reason, Suggestion, Verdict};
use crate::citation::place::Place;
use crate::model::{Article, Severity, StatuteRef, chinese_number};
use crate::statutes::{ArticleEntry, Cited, Coverage, Law, StatuteBase, Version};

/// The fit from which another article is taken to be meant. These four were calibrated on the dev part of
/// `corpora/citations` and on the sentences of the laws themselves.
const STRONG: f32 = 0.36;
/// The fit up to which the cited article is taken not to be meant.
const WEAK: f32 = 0.20;
/// How much of the better fit the cited one may reach.
const RATIO: f32 = 0.45;
/// The fit from which a former or later content of the same number is taken to be meant.
const SAME_NUMBER: f32 = 0.30;
/// The least that a sentence must say before its content is judged.
const LEAST_WEIGHT: f32 = 14.0;
/// An article of the law that is named is likelier to be meant than one of another law.
const SAME_LAW: f32 = 1.25;
/// An article of a law for some trades is less likely to be meant where another law is named.
const OTHER_TRADE: f32 = 0.8;

/// The fit from which another article is taken to be meant although no topic word of it is in the sentence.
const CERTAIN: f32 = 0.60;
/// How much of the better fit the cited article may reach when a topic word of it is in the sentence.
const CLEAR: f32 = 0.15;
/// How much of the best fit another article reaches that is named beside it.
const RUNNER_UP: f32 = 0.85;

/// What was found about a mention.
#[derive(Debug)]
pub(super) struct Judged {
    pub verdicts: Vec<Verdict>,
    pub verified: bool,
    pub severity: Option<Severity>,
    pub suggestions: Vec<Suggestion>,
    pub message: String,
}

/// Judges the mentions of one text.
pub(super) struct Judge<'a> {
    base: &'a StatuteBase,
    index: &'a ContentIndex,
    text: &'a str,
    date: Date,
    mentions: &'a [Mention],
    said: FxHashMap<usize, Option<Said>>,
}

/// What the sentence says about the articles of a group.
#[derive(Debug)]
struct Said {
    content: String,
    main: Fit,
    /// Whether another citation cuts it short, so that it may be said of that one.
    cut: bool,
    /// The whole sentence.
    around: Fit,
}

/// Which wording of a law is meant.
#[derive(Debug, Clone, Copy)]
enum Standing<'a> {
    /// In force on the day.
    InForce(&'a Version),
    /// Former law, named as such.
    Former(&'a Version),
    /// Repealed before the day; the last wording.
    Repealed(&'a Version),
    /// Not yet in force on the day; the first wording.
    NotYet(&'a Version),
    /// The base does not hold the wording of that day.
    Unknown,
}

impl<'a> Standing<'a> {
    fn version(self) -> Option<&'a Version> {
        match self {
            Standing::InForce(v) | Standing::Former(v) | Standing::Repealed(v) | Standing::NotYet(v) => Some(v),
            Standing::Unknown => None,
        }
    }
}

/// What is gathered about one mention.
#[derive(Default)]
struct Notes {
    verdicts: Vec<Verdict>,
    suggestions: Vec<Suggestion>,
    parts: Vec<String>,
}

impl Notes {
    fn add(&mut self, verdict: Verdict, message: String) {
        if !self.verdicts.contains(&verdict) {
            self.verdicts.push(verdict);
        }
        self.parts.push(message);
    }

    fn suggest(&mut self, suggestion: Suggestion) {
        if !self.suggestions.iter().any(|other| other.label == suggestion.label) {
            self.suggestions.push(suggestion);
        }
    }
}

impl<'a> Judge<'a> {
    pub fn new(
        base: &'a StatuteBase,
        index: &'a ContentIndex,
        text: &'a str,
        date: Date,
        mentions: &'a [Mention],
    ) -> Judge<'a> {
        Judge { base, index, text, date, mentions, said: FxHashMap::default() }
    }

    /// What is found about mention `at`.
    pub fn judge(&mut self, at: usize) -> Judged {
        let mention = &self.mentions[at];
        let law = match &mention.law {
            Named::Law(law) => &self.base.laws()[*law],
            Named::Other(name) => return unknown(self.base, name),
        };
        let standing = self.standing(law, mention);
        let mut notes = Notes::default();
        let Some(place) = &mention.place else {
            if let Standing::Repealed(version) = standing {
                self.repealed_law(law, version, &mut notes);
            }
            let severity = if mention.formal { Severity::Warning } else { Severity::Note };
            return finish(notes, true, severity);
        };
        let entry = standing.version().and_then(|version| entry_of(law, version, place.article));
        if let Standing::NotYet(first) = standing {
            self.not_yet(law, first, place, &mut notes);
            return finish(notes, entry.is_some(), Severity::Warning);
        }
        let Some(version) = standing.version() else { return finish(notes, false, Severity::Warning) };
        if let Standing::Repealed(version) = standing {
            self.repealed(law, version, entry, place, &mut notes);
        }
        let moved = matches!(standing, Standing::InForce(_)) && self.moved(at, law, version, entry, place, &mut notes);
        if !moved {
            self.existence(law, version, entry, place, &mut notes);
            if !notes.verdicts.contains(&Verdict::NoSuchArticle) && !mention.inferred {
                self.content(at, law, version, entry, place, &mut notes);
            }
        }
        let missing = notes.verdicts.contains(&Verdict::NoSuchArticle);
        finish(notes, entry.is_some(), if missing { Severity::Error } else { Severity::Warning })
    }

    fn standing(&self, law: &'a Law, mention: &Mention) -> Standing<'a> {
        let date = self.date;
        let current = law.versions.iter().find(|version| version.covers(date));
        if let Some(year) = mention.year {
            let year_of = |version: &&Version| version.in_force_from.year() == year || version.id == year.to_string();
            match law.versions.iter().find(year_of) {
                Some(version) if current.is_some_and(|current| current.id == version.id) => {
                    return Standing::InForce(version);
                }
                Some(version) => return Standing::Former(version),
                // A wording the base does not tell apart; numbers of the one in force are not held against it.
                None if current.is_none_or(|current| year < current.in_force_from.year() - 1) => {
                    return Standing::Unknown;
                }
                None => {}
            }
        }
        let (Some(first), Some(last)) = (law.versions.first(), law.versions.last()) else { return Standing::Unknown };
        if let Some(version) = current {
            let before = law.versions.iter().rev().find(|other| other.in_force_from < version.in_force_from);
            return match before.filter(|_| mention.historical) {
                Some(before) => Standing::Former(before),
                None if mention.historical => Standing::Unknown,
                None => Standing::InForce(version),
            };
        }
        if date < first.in_force_from {
            return match law.in_force_since {
                Some(since) if since <= date => Standing::Unknown,
                _ => Standing::NotYet(first),
            };
        }
        if last.in_force_until.is_none_or(|until| until >= date) {
            return Standing::Unknown;
        }
        let until = last.in_force_until.map_or(i16::MAX, |until| until.year());
        let around = sentence(self.text, &mention.span);
        if mention.historical
            || is_about_the_past(self.text, &around, first.in_force_from.year()..until.saturating_add(1))
        {
            Standing::Former(last)
        } else {
            Standing::Repealed(last)
        }
    }

    fn repealed_law(&self, law: &Law, version: &Version, notes: &mut Notes) {
        let day = repeal_day(version);
        let message = match law.successor.as_ref().and_then(|name| self.base.law(name)) {
            Some(successor) => {
                notes.suggest(law_suggestion(successor, Reason::Successor));
                format!("《{}》自{day}起废止，现行法为《{}》", law.name, successor.name)
            }
            None => format!("《{}》自{day}起废止", law.name),
        };
        notes.add(Verdict::Repealed, message);
    }

    fn repealed(&self, law: &Law, version: &Version, entry: Option<&ArticleEntry>, place: &Place, notes: &mut Notes) {
        let successors = entry.map(|entry| self.successors(entry, place)).unwrap_or_default();
        if successors.is_empty() {
            return self.repealed_law(law, version, notes);
        }
        let labels: Vec<String> = successors.iter().map(|s| s.label.clone()).collect();
        let (day, article) = (repeal_day(version), article_label(place.article));
        notes
            .add(Verdict::Repealed, format!("《{}》自{day}起废止；{article}的内容现为{}", law.name, labels.join("、")));
        successors.into_iter().for_each(|suggestion| notes.suggest(suggestion));
    }

    /// Where the content of an entry, or of the part that `place` names, stands today.
    fn successors(&self, entry: &ArticleEntry, place: &Place) -> Vec<Suggestion> {
        let of_part = |successor: &&crate::statutes::law::Successor| match (successor.part, place.paragraph, place.item)
        {
            (None, _, _) => true,
            (Some(_), None, None) => true,
            (Some((p, i)), paragraph, item) => {
                paragraph.is_none_or(|q| q == p) && (i.is_none() || item.is_none() || i == item)
            }
        };
        let exact = |successor: &&crate::statutes::law::Successor| {
            successor.part.is_some_and(|(p, i)| {
                (place.paragraph == Some(p) || place.paragraph.is_none() && p == 1) && place.item == i
            })
        };
        let mut chosen: Vec<_> = entry.successors.iter().filter(of_part).collect();
        let whole = place.paragraph.is_none() && place.item.is_none();
        if !whole && chosen.iter().any(&exact) {
            chosen.retain(|s| exact(s));
        }
        let mut found: Vec<Suggestion> = Vec::new();
        for successor in chosen {
            let mut to = successor.to.clone();
            // 23 items that moved to 23 items of one article: the article is named once.
            if whole && entry.successors.len() > 2 {
                (to.paragraph, to.item) = (None, None);
            }
            if let Some(cited) = self.base.resolve(&to) {
                let suggestion = suggestion(&cited, Reason::Successor);
                if !found.iter().any(|other| other.label == suggestion.label) {
                    found.push(suggestion);
                }
            }
        }
        found.truncate(4);
        found
    }

    fn not_yet(&self, law: &Law, first: &Version, place: &Place, notes: &mut Notes) {
        let reference = reference(law, place);
        let trade = law.sectors.first().map_or("", String::as_str);
        let then = self.base.in_force(&reference, self.date, trade);
        let mut message = format!("《{}》自{}起施行，{}尚未施行", law.name, first.in_force_from, self.date);
        if let Some(cited) = &then {
            message.push_str(&format!("；当日相应条文为{}", cited.label()));
            notes.suggest(suggestion(cited, Reason::InForce));
        }
        notes.add(Verdict::NotInForce, message);
    }

    /// Whether the sentence says what the same number says in another version of the law.
    fn moved(
        &mut self,
        at: usize,
        law: &'a Law,
        version: &'a Version,
        entry: Option<&'a ArticleEntry>,
        place: &Place,
        notes: &mut Notes,
    ) -> bool {
        let law_at = self.law_at(law);
        let of_number = |other: &&ArticleEntry| {
            other.article == place.article && entry.is_none_or(|entry| !std::ptr::eq(*other, entry))
        };
        let others: Vec<(usize, &ArticleEntry)> =
            law.articles.iter().enumerate().filter(|(_, other)| of_number(other)).collect();
        if others.is_empty() {
            return false;
        }
        let beyond = version.articles.is_some_and(|last| place.article.number > last);
        let current = entry.and_then(|entry| position(law, entry)).map(|at| (law_at, at));
        let (index, text, date) = (self.index, self.text, self.date);
        let about_past = || is_about_the_past(text, &sentence(text, &self.mentions[at].span), 0..0);
        let historical_sentence = about_past();
        let base = self.base;
        let said = self.said(at);
        let score = |id: EntryId| said.map_or(0.0, |said| index.score(&said.main, id));
        let here = current.map_or(0.0, |id| score(id).max(said.map_or(0.0, |said| index.score(&said.around, id))));
        let best = others.iter().map(|(at, other)| (score((law_at, *at)), *other)).max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((fit, other)) = best else { return false };
        let by_content =
            said.is_some_and(|said| said.weight() >= LEAST_WEIGHT) && fit >= SAME_NUMBER && here <= fit * 0.6;
        if !by_content && !beyond {
            return false;
        }
        let Some(owner) = law.versions.iter().rev().find(|v| other.versions.contains(&v.id)) else { return false };
        if owner.in_force_from > date {
            let trade = law.sectors.first().map_or("", String::as_str);
            let then = base.in_force(&reference(law, place), date, trade);
            let mut message = format!("{}的这一内容自{}起施行", article_label(place.article), owner.in_force_from);
            if let Some(cited) = &then {
                message.push_str(&format!("；当日相应条文为{}", cited.label()));
                notes.suggest(suggestion(cited, Reason::InForce));
            }
            notes.add(Verdict::NotInForce, message);
            return true;
        }
        if historical_sentence {
            return true;
        }
        let successors = self.successors(other, place);
        let stays = successors
            .iter()
            .all(|s| s.law == law.name && s.place.split('(').next() == Some(place.article.to_string().as_str()));
        if stays {
            return false;
        }
        let labels: Vec<String> = successors.iter().map(|s| s.label.clone()).collect();
        let until = owner.in_force_until.map_or(String::new(), |until| format!("（施行至{until}）"));
        let message =
            format!("{}是旧文本{until}的条号，相应内容现为{}", article_label(place.article), labels.join("、"));
        notes.add(Verdict::Renumbered, message);
        successors.into_iter().for_each(|suggestion| notes.suggest(suggestion));
        true
    }

    fn existence(&self, law: &Law, version: &Version, entry: Option<&ArticleEntry>, place: &Place, notes: &mut Notes) {
        let article = article_label(place.article);
        let last = place.until.unwrap_or(place.article);
        if let Some(count) = version.articles.filter(|count| last.number > *count) {
            let text = format!(
                "《{}》（{}起施行的文本）共{count}条，没有{}",
                law.name,
                version.in_force_from,
                article_label(last)
            );
            return notes.add(Verdict::NoSuchArticle, text);
        }
        let Some(entry) = entry else {
            if version.coverage == Coverage::Whole {
                notes.add(Verdict::NoSuchArticle, format!("《{}》没有{article}", law.name));
            }
            return;
        };
        let paragraphs = entry.structure.len();
        let most = entry.structure.iter().copied().max().unwrap_or(0);
        match (place.paragraph, place.item) {
            (Some(p), _) if usize::from(p) > paragraphs && !version.paragraphs_unsure => {
                let mut message = format!("{article}只有{paragraphs}款，没有第{}款", chinese_number(u16::from(p)));
                // 第八款 for 第一款第(八)项.
                let holder =
                    entry.structure.iter().position(|items| p <= *items).and_then(|at| u8::try_from(at + 1).ok());
                if let Some(holder) = holder.filter(|_| place.item.is_none()) {
                    let item = chinese_number(u16::from(p));
                    message.push_str(&format!("；疑为第({item})项"));
                    let reference = StatuteRef { paragraph: Some(holder), item: Some(p), ..reference(law, place) };
                    if let Some(cited) = self.base.resolve(&reference) {
                        notes.suggest(suggestion(&cited, Reason::Spelling));
                    }
                }
                notes.add(Verdict::NoSuchArticle, message);
            }
            (p, Some(i)) => {
                let held = p.and_then(|p| entry.structure.get(usize::from(p).checked_sub(1)?)).copied();
                let count = if version.paragraphs_unsure { most } else { held.unwrap_or(most) };
                if i > count {
                    let item = chinese_number(u16::from(i));
                    let part = p.map_or(String::new(), |p| format!("第{}款", chinese_number(u16::from(p))));
                    notes.add(Verdict::NoSuchArticle, format!("{article}{part}只有{count}项，没有第({item})项"));
                }
            }
            _ => {}
        }
    }

    /// Whether the sentence says of the article what another one says.
    fn content(
        &mut self,
        at: usize,
        law: &'a Law,
        version: &'a Version,
        entry: Option<&'a ArticleEntry>,
        place: &Place,
        notes: &mut Notes,
    ) {
        let Some(entry) = entry else { return };
        let (base, index, date) = (self.base, self.index, self.date);
        let mentions = self.mentions;
        let group = mentions[at].group;
        let law_at = self.law_at(law);
        let cited = self.cited_entries(group);
        if self.said(at).is_none() {
            return;
        }
        let Some(said) = self.said(at) else { return };
        if let Some(misread) = misread(entry, &said.content) {
            let label = article_label(place.article);
            notes.add(Verdict::ContentMismatch, format!("{label}并非如此：{}", misread.note));
            if let Some(cited) = misread.to.as_ref().and_then(|to| base.resolve(to)) {
                notes.suggestions.insert(0, suggestion(&cited, Reason::Content));
            }
            return;
        }
        if said.weight() < LEAST_WEIGHT || cited.is_none() {
            return;
        }
        let cited = cited.unwrap_or_default();
        let here =
            cited.iter().map(|id| index.score(&said.main, *id).max(index.score(&said.around, *id))).fold(0.0, f32::max);
        let mut ranked: Vec<(f32, EntryId)> = Vec::new();
        for (id, fit) in index.scores(&said.main).filter(|(_, fit)| *fit > WEAK) {
            let other = &base.laws()[id.0];
            let holds = &other.articles[id.1];
            let same = id.0 == law_at;
            let live = other.versions.iter().any(|v| v.covers(date) && holds.versions.contains(&v.id));
            let meant = same && holds.versions.contains(&version.id);
            if !live && !meant {
                continue;
            }
            let trade = if other.sectors.is_empty() || same { 1.0 } else { OTHER_TRADE };
            let weighed = fit * if same { SAME_LAW } else { trade };
            ranked.push((weighed, id));
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let Some(&(weighed, id)) = ranked.first() else { return };
        if weighed < STRONG || here > WEAK || here > weighed * RATIO || cited.contains(&id) {
            return;
        }
        let other = &base.laws()[id.0];
        let right = &other.articles[id.1];
        let on_topic = cited.iter().any(|id| index.is_topical(&said.around, *id));
        let commencement = right.topics.iter().any(|topic| topic == "施行日期") && !said.content.contains("施行");
        let clear = here < weighed * CLEAR;
        let proven = index.is_topical(&said.main, id) && !said.cut || weighed >= CERTAIN;
        if (on_topic || said.cut) && !clear || !proven || commencement {
            return;
        }
        // A former article is named by the one that says so today.
        let mut named: Vec<Suggestion> = Vec::new();
        let owner = other.versions.iter().rev().find(|v| v.covers(date) && right.versions.contains(&v.id));
        match owner {
            Some(version) => {
                let cited = Cited { law: other, version, entry: right, paragraph: None, item: None };
                named.push(suggestion(&cited, Reason::Content));
            }
            None => {
                let whole = Place { article: right.article, paragraph: None, item: None, until: None, span: 0..0 };
                let today = self.successors(right, &whole);
                named.extend(today.into_iter().map(|s| Suggestion { reason: Reason::Content, ..s }));
            }
        }
        for (score, (law_at, at)) in ranked.iter().skip(1).take(2) {
            let other = &base.laws()[*law_at];
            let entry = &other.articles[*at];
            let owner = other.versions.iter().rev().find(|v| v.covers(date) && entry.versions.contains(&v.id));
            if let Some(version) = owner.filter(|_| *score >= weighed * RUNNER_UP) {
                let cited = Cited { law: other, version, entry, paragraph: None, item: None };
                named.push(suggestion(&cited, Reason::Content));
            }
        }
        named.truncate(2);
        // The cited article already stands where the content stands today: nothing is wrong with it.
        if named.is_empty() {
            return;
        }
        let best = named.first().map_or(String::new(), |s| s.label.clone());
        let label = article_label(place.article);
        let via = if owner.is_none() {
            format!("（原《{}》{}）", other.name, article_label(right.article))
        } else {
            String::new()
        };
        let message = format!(
            "{label}说的是：{}；所述内容见{}{via}：{}",
            entry.gist_of(place.paragraph, place.item),
            best,
            right.gist
        );
        notes.add(Verdict::ContentMismatch, message);
        let rest = std::mem::take(&mut notes.suggestions);
        for suggestion in named.into_iter().chain(rest) {
            notes.suggest(suggestion);
        }
    }

    /// The entries of every citation of a group; `None` when the base does not hold one of them.
    fn cited_entries(&self, group: usize) -> Option<Vec<EntryId>> {
        let mut found = Vec::new();
        for mention in self.mentions.iter().filter(|mention| mention.group == group) {
            let Some(place) = &mention.place else { continue };
            let Named::Law(law_at) = mention.law else { return None };
            let law = &self.base.laws()[law_at];
            let version = self.standing(law, mention).version()?;
            let last = place.until.unwrap_or(place.article);
            let mut any = false;
            for (at, entry) in law.articles.iter().enumerate() {
                if (place.article..=last).contains(&entry.article) && entry.versions.contains(&version.id) {
                    found.push((law_at, at));
                    any = true;
                }
            }
            if !any {
                return None;
            }
        }
        Some(found)
    }

    fn law_at(&self, law: &Law) -> usize {
        self.base.laws().iter().position(|other| std::ptr::eq(other, law)).unwrap_or(usize::MAX)
    }

    fn said(&mut self, at: usize) -> Option<&Said> {
        let group = self.mentions[at].group;
        if !self.said.contains_key(&group) {
            let said = said(self.text, self.mentions, group, self.index);
            self.said.insert(group, said);
        }
        self.said.get(&group)?.as_ref()
    }
}

impl Said {
    fn weight(&self) -> f32 {
        self.main.weight
    }
}

/// What the sentence says about the citations of `group`.
fn said(text: &str, mentions: &[Mention], group: usize, index: &ContentIndex) -> Option<Said> {
    let first = mentions.partition_point(|mention| mention.group < group);
    let count = mentions[first..].iter().take_while(|mention| mention.group == group).count();
    let start = mentions.get(first)?.span.start;
    let end = mentions.get(first + count.checked_sub(1)?)?.span.end;
    let mut around = sentence(text, &(start..end));
    let tail = &text[end..around.end];
    let introduces = tail.trim_end().ends_with(['：', ':']) || tail.trim().is_empty() && tail.contains(['：', ':']);
    if introduces && text[around.end..].starts_with('\n') {
        around.end = sentence(text, &(around.end + 1..around.end + 1)).end;
    }
    let floor = first.checked_sub(1).map_or(0, |before| mentions[before].span.end);
    let ceiling = mentions.get(first + count).map_or(text.len(), |next| next.span.start);
    let before = text.get(around.start.max(floor).min(start)..start).unwrap_or_default();
    let after = text.get(end..around.end.min(ceiling).max(end)).unwrap_or_default();
    let aside = before.trim_end_matches([' ', '《', '见']).ends_with(['（', '(']);
    let behind = after.trim_start_matches(['》', '的', '之', '中', '规', '定', ' ', '，', '：', ',', ':', '）', ')']);
    let letters = |text: &str| text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let content = if aside || letters(behind) < 6 {
        before.to_owned()
    } else if letters(behind) < 14 && letters(before) >= 10 {
        format!("{before}。{behind}")
    } else {
        behind.to_owned()
    };
    // For the article that is cited all of the sentence speaks, also what it says of other citations in it.
    let whole = text.get(around.clone()).unwrap_or_default();
    let cut = ceiling < around.end;
    Some(Said { main: index.fit(&content), cut, around: index.fit(whole), content })
}

fn misread<'e>(entry: &'e ArticleEntry, content: &str) -> Option<&'e crate::statutes::law::Misread> {
    let denied = ["不是", "并非", "并不", "没有规定", "误", "而不"].iter().any(|word| content.contains(word));
    if denied {
        return None;
    }
    entry.misread.iter().find(|misread| misread.words.iter().all(|word| content.contains(word.as_str())))
}

fn unknown(base: &StatuteBase, name: &str) -> Judged {
    let mut notes = Notes::default();
    let short = name.strip_prefix("中华人民共和国").unwrap_or(name);
    let near = base.laws().iter().find(|law| short.chars().count() >= 6 && one_letter_apart(short, &law.name));
    let severity = match near {
        Some(law) => {
            notes.suggest(law_suggestion(law, Reason::Spelling));
            notes.add(Verdict::UnknownLaw, format!("没有查到《{name}》，疑为《{}》", law.name));
            Severity::Warning
        }
        None => {
            notes.add(Verdict::UnknownLaw, format!("法条库未收录《{name}》，未核对"));
            Severity::Note
        }
    };
    finish(notes, false, severity)
}

/// Whether one letter replaced, left out or put in makes one name of the other.
fn one_letter_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (rest_a, rest_b) = (a.len() - head - tail, b.len() - head - tail);
    rest_a <= 1 && rest_b <= 1 && rest_a + rest_b > 0
}

fn finish(notes: Notes, verified: bool, severity: Severity) -> Judged {
    let mut verdicts = notes.verdicts;
    verdicts.sort();
    let severity = (!verdicts.is_empty()).then_some(severity);
    if verdicts.is_empty() {
        verdicts.push(Verdict::Ok);
    }
    let message = notes.parts.join("。");
    Judged { verdicts, verified, severity, suggestions: notes.suggestions, message }
}

fn entry_of<'b>(law: &'b Law, version: &Version, article: Article) -> Option<&'b ArticleEntry> {
    law.articles.iter().find(|entry| entry.article == article && entry.versions.contains(&version.id))
}

fn position(law: &Law, entry: &ArticleEntry) -> Option<usize> {
    law.articles.iter().position(|other| std::ptr::eq(other, entry))
}

fn reference(law: &Law, place: &Place) -> StatuteRef {
    StatuteRef { law: law.name.clone(), article: place.article, paragraph: place.paragraph, item: place.item }
}

fn suggestion(cited: &Cited<'_>, reason: Reason) -> Suggestion {
    let part = |part: Option<u8>| part.map_or(String::new(), |part| format!("({part})"));
    Suggestion {
        law: cited.law.name.clone(),
        place: format!("{}{}{}", cited.entry.article, part(cited.paragraph), part(cited.item)),
        label: cited.label(),
        gist: cited.gist().to_owned(),
        reason,
    }
}

fn law_suggestion(law: &Law, reason: Reason) -> Suggestion {
    let label = format!("《{}》", law.name);
    Suggestion { law: law.name.clone(), place: String::new(), label, gist: String::new(), reason }
}

/// 第二百九十三条之一
pub(super) fn article_label(article: Article) -> String {
    let branch =
        if article.branch > 0 { format!("之{}", chinese_number(u16::from(article.branch))) } else { String::new() };
    format!("第{}条{branch}", chinese_number(article.number))
}

/// The first day without the law.
fn repeal_day(version: &Version) -> String {
    let next = version.in_force_until.and_then(|until| until.tomorrow().ok());
    next.map_or(String::new(), |day| day.to_string())
}
