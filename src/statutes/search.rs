//! Words → articles.

use jiff::civil::Date;

use crate::statutes::base::{Cited, StatuteBase};

/// An article that a search found.
#[derive(Debug, Clone)]
pub struct SearchHit<'b> {
    /// The article, in the newest version that has it.
    pub cited: Cited<'b>,
    /// How well it fits; higher is better. Comparable within one search.
    pub score: u32,
    /// Whether that version is in force on the day.
    pub in_force: bool,
}

impl StatuteBase {
    /// The articles that have any of `words` among their topics, gist or items: law in force on `date` first, then by how
    /// many words they have and how prominently, then by the order of the base. May be empty.
    pub fn search(&self, words: &[&str], date: Date) -> Vec<SearchHit<'_>> {
        let mut hits = Vec::new();
        for law in self.laws() {
            for entry in &law.articles {
                let newest = law.versions.iter().rev().find(|version| entry.versions.contains(&version.id));
                let Some(version) = newest else { continue };
                let score: u32 = words.iter().map(|word| worth(word, entry)).sum();
                if score > 0 {
                    let cited = Cited { law, version, entry, paragraph: None, item: None };
                    hits.push(SearchHit { cited, score, in_force: version.covers(date) });
                }
            }
        }
        hits.sort_by_key(|hit| (!hit.in_force, std::cmp::Reverse(hit.score)));
        hits
    }
}

/// A topic counts most, then the gist, then the items; each further word counts as much as the best of the first.
fn worth(word: &str, entry: &crate::statutes::ArticleEntry) -> u32 {
    let topic = entry.topics.iter().map(|topic| if topic == word { 8 } else { u32::from(topic.contains(word)) * 5 });
    let gist = u32::from(entry.gist.contains(word)) * 3;
    let item = u32::from(entry.items.values().any(|item| item.contains(word))) * 2;
    let best = topic.max().unwrap_or(0) + gist + item;
    if best > 0 { best + 10 } else { 0 }
}
