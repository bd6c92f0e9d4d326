//! What a sentence says an article says, compared with what the articles of the base say.
//!
//! A sentence and an article are compared by the pairs of neighbouring Han characters they share and by the topic words
//! of the article that the sentence holds, both weighted by how few articles have them.

use aho_corasick::{AhoCorasick, MatchKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::statutes::StatuteBase;

/// An article entry: its law's place in `StatuteBase::laws`, and its own in `Law::articles`.
pub(super) type EntryId = (usize, usize);

/// A topic word of more articles than this tells none of them apart.
const COMMON_TOPIC: usize = 60;
/// What many articles end with, whatever they are about. Cut out before sentences are compared: the pairs of letters in it
/// are rare only because the gists of the base say it more briefly.
const PHRASES: [&str; 24] = [
    "应当承担赔偿责任",
    "承担赔偿责任",
    "应当承担侵权责任",
    "承担侵权责任",
    "依法追究刑事责任",
    "构成犯罪的",
    "应当承担",
    "法律责任",
    "合法权益",
    "应当按照约定",
    "当事人另有约定",
    "另有约定的除外",
    "可以解除合同",
    "法律、行政法规",
    "有关规定",
    "应当依法",
    "予以处罚",
    "吊销营业执照",
    "没收违法所得",
    "责令改正",
    "处以罚款",
    "应当",
    "规定",
    "可以",
];

type Pair = (char, char);

/// How much a topic word counts beside the pairs of characters in it. Calibrated on `corpora/citations` (dev part).
const TOPIC_WEIGHT: f32 = 1.1;
/// Words that more than one article in seven (e to this power) says count for nothing: 应当, 承担, 赔偿 prove little.
const COMMON: f32 = 2.0;
/// Added to the weight of a sentence, so that a few words alone prove little.
const SHORT_SENTENCE: f32 = 8.0;

/// The words of all articles.
#[derive(Debug)]
pub(super) struct ContentIndex {
    entries: Vec<EntryId>,
    numbers: FxHashMap<EntryId, usize>,
    pairs: FxHashMap<Pair, (f32, Vec<u32>)>,
    topics: Option<AhoCorasick>,
    by_topic: Vec<(f32, Vec<u32>)>,
}

/// How well each article fits a sentence, from 0 (no word shared) to about 1.
#[derive(Debug)]
pub(super) struct Fit {
    scores: Vec<f32>,
    /// The articles of which the sentence holds a topic word that few others have.
    topical: FxHashSet<u32>,
    /// How much the sentence says that any article could say.
    pub weight: f32,
}

impl ContentIndex {
    pub fn new(base: &StatuteBase) -> ContentIndex {
        let mut entries = Vec::new();
        let mut postings: FxHashMap<Pair, Vec<u32>> = FxHashMap::default();
        let mut topic_postings: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
        for (law_at, law) in base.laws().iter().enumerate() {
            for (at, entry) in law.articles.iter().enumerate() {
                let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                entries.push((law_at, at));
                let mut pairs = FxHashSet::default();
                let texts = entry.topics.iter().chain(entry.items.values()).chain([&entry.gist]);
                for text in texts.chain(&entry.deadline).chain(&entry.exceptions) {
                    pairs.extend(pairs_of(text));
                }
                for pair in pairs {
                    postings.entry(pair).or_default().push(number);
                }
                for topic in entry.topics.iter().filter(|topic| topic.chars().count() > 1) {
                    topic_postings.entry(topic).or_default().push(number);
                }
            }
        }
        let total = entries.len() as f32;
        let rarity = |count: usize| ((total / (1.0 + count as f32)).ln() - COMMON).max(0.0);
        let pairs = postings.into_iter().map(|(pair, list)| (pair, (rarity(list.len()), list))).collect();
        let mut topics: Vec<(&str, Vec<u32>)> = topic_postings.into_iter().collect();
        topics.sort_by_key(|(topic, _)| *topic);
        let automaton =
            AhoCorasick::builder().match_kind(MatchKind::Standard).build(topics.iter().map(|(topic, _)| topic)).ok();
        let by_topic = topics
            .into_iter()
            .map(|(topic, list)| {
                let letters = topic.chars().count().min(6) as f32;
                (rarity(list.len()) * TOPIC_WEIGHT * letters / 3.0, list)
            })
            .collect();
        let numbers = entries.iter().enumerate().map(|(number, entry)| (*entry, number)).collect();
        ContentIndex { entries, numbers, pairs, topics: automaton, by_topic }
    }

    /// Compares `content` with every article.
    pub fn fit(&self, content: &str) -> Fit {
        let mut scores = vec![0f32; self.entries.len()];
        let mut weight = 0f32;
        let mut topical = FxHashSet::default();
        let cut = PHRASES.iter().fold(content.to_owned(), |text, phrase| text.replace(phrase, "，"));
        let pairs: FxHashSet<Pair> = pairs_of(&cut).collect();
        // In one order, so that sums of floats are the same in every run.
        let mut pairs: Vec<Pair> = pairs.into_iter().collect();
        pairs.sort_unstable();
        for pair in pairs {
            let Some((rarity, list)) = self.pairs.get(&pair) else { continue };
            weight += rarity;
            for entry in list {
                scores[*entry as usize] += rarity;
            }
        }
        let mut found: Vec<usize> = Vec::new();
        if let Some(topics) = &self.topics {
            for hit in topics.find_overlapping_iter(&cut) {
                let topic = hit.pattern().as_usize();
                if !found.contains(&topic) {
                    found.push(topic);
                    let (rarity, list) = &self.by_topic[topic];
                    for entry in list {
                        scores[*entry as usize] += rarity;
                    }
                    if list.len() <= COMMON_TOPIC {
                        topical.extend(list);
                    }
                }
            }
        }
        let scale = 1.0 / (weight + SHORT_SENTENCE);
        for score in &mut scores {
            *score *= scale;
        }
        Fit { scores, topical, weight }
    }

    /// How well `entry` fits.
    pub fn score(&self, fit: &Fit, entry: EntryId) -> f32 {
        self.numbers.get(&entry).map_or(0.0, |number| fit.scores[*number])
    }

    /// Whether the sentence holds a topic word of `entry` that few other articles have.
    pub fn is_topical(&self, fit: &Fit, entry: EntryId) -> bool {
        let number = self.numbers.get(&entry).and_then(|number| u32::try_from(*number).ok());
        number.is_some_and(|number| fit.topical.contains(&number))
    }

    /// Every article with its fit, in the order of the base.
    pub fn scores<'s>(&'s self, fit: &'s Fit) -> impl Iterator<Item = (EntryId, f32)> + use<'s> {
        self.entries.iter().copied().zip(fit.scores.iter().copied())
    }
}

fn pairs_of(text: &str) -> impl Iterator<Item = Pair> + use<'_> {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    text.chars().zip(text.chars().skip(1)).filter(move |(a, b)| han(*a) && han(*b))
}
