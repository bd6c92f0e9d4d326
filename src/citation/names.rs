//! Names of laws in running text: one automaton over all names, the words that point back to a law, and decoys.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::statutes::StatuteBase;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// The name of a law of the base, by its place in `StatuteBase::laws`; only the first bytes of the match are the name.
    Law { law: usize, length: usize },
    /// The name of a text about or under a law of the base that the base does not hold (劳动合同法实施条例).
    OtherText,
    /// Looks like the name of a law but is none (合同法律关系).
    Decoy,
    /// 《
    Quote,
    /// 第
    Ordinal,
    /// 本法, 该条例 …: the last law named whose name ends so.
    Pointer(&'static [&'static str]),
    /// 同条, 该条
    SameArticle,
    /// 前款
    PreviousParagraph,
    /// 前条
    PreviousArticle,
}

const ACT: &[&str] = &["法", "法典", "通则", "总则"];
const REGULATION: &[&str] = &["条例"];
const MEASURES: &[&str] = &["办法"];
const PROVISIONS: &[&str] = &["规定", "规定(一)"];
const INTERPRETATION: &[&str] = &["解释", "解释一", "规定", "规定(一)", "解释(一)"];
const ANY: &[&str] = &[""];

const POINTERS: [(&str, &[&str]); 24] = [
    ("本法", ACT),
    ("同法", ACT),
    ("该法", ACT),
    ("此法", ACT),
    ("该法典", ACT),
    ("上述法律", ANY),
    ("前述法律", ANY),
    ("该部法律", ANY),
    ("该法律", ANY),
    ("该条例", REGULATION),
    ("本条例", REGULATION),
    ("同条例", REGULATION),
    ("该办法", MEASURES),
    ("本办法", MEASURES),
    ("同办法", MEASURES),
    ("该规定", PROVISIONS),
    ("该解释", INTERPRETATION),
    ("该司法解释", INTERPRETATION),
    ("本解释", INTERPRETATION),
    ("《本法》", ACT),
    ("《该法》", ACT),
    ("《条例》", REGULATION),
    ("《办法》", MEASURES),
    ("《规定》", PROVISIONS),
];

/// What makes another word of a name that ends in 法.
const AFTER_ACT: [&str; 14] = ["律", "院", "官", "定", "庭", "学", "理", "则", "人", "案", "规", "制", "治", "条文"];
/// Texts under or about a law.
const UNDER: [&str; 12] = [
    "实施条例",
    "实施细则",
    "实施办法",
    "司法解释",
    "若干解释",
    "解释",
    "修正案",
    "修订草案",
    "草案",
    "征求意见稿",
    "释义",
    "若干规定",
];
/// Words that contain a short name.
const DECOYS: [&str; 20] = [
    "违反法",
    "取消法",
    "撤消法",
    "抵消法",
    "打消法",
    "经济合同法",
    "涉外经济合同法",
    "技术合同法",
    "集体合同法",
    "国际刑法",
    "军事刑法",
    "死刑法",
    "减刑法",
    "量刑法",
    "缓刑法",
    "反法西斯",
    "正反法",
    "知识产权侵权法",
    "企业价格法",
    "消法术",
];

/// Finds names of laws.
#[derive(Debug)]
pub(super) struct Names {
    /// What is looked for, and what it is when found.
    patterns: Vec<(String, Token)>,
    /// Built for the first text that may hold a name: most hold none.
    automaton: OnceLock<Option<AhoCorasick>>,
    /// A few characters of which every name holds one: most texts hold none of them and need no closer look.
    hints: Option<AhoCorasick>,
}

impl Names {
    /// Collects the names of the laws of `base`.
    pub fn new(base: &StatuteBase) -> Names {
        let mut patterns: Vec<(String, Token)> = Vec::new();
        for (law, entry) in base.laws().iter().enumerate() {
            for name in entry.abbreviations.iter().chain([&entry.name, &entry.title]) {
                for spelling in spellings(name) {
                    let length = spelling.len();
                    if let Some(short) = spelling.strip_prefix("中华人民共和国") {
                        add_name(&mut patterns, short, law);
                    }
                    add_name(&mut patterns, &spelling, law);
                    if !spelling.starts_with("中华人民共和国") && entry.title.starts_with("中华人民共和国")
                    {
                        add_name(&mut patterns, &format!("中华人民共和国{spelling}"), law);
                    }
                    debug_assert!(length > 0, "no name is empty");
                }
            }
        }
        patterns.extend(DECOYS.iter().map(|decoy| ((*decoy).to_owned(), Token::Decoy)));
        patterns.extend(POINTERS.iter().map(|(word, ends)| ((*word).to_owned(), Token::Pointer(ends))));
        for word in ["同条", "该条", "同一条"] {
            patterns.push((word.to_owned(), Token::SameArticle));
        }
        for (word, token) in [
            ("《", Token::Quote),
            ("第", Token::Ordinal),
            ("前款", Token::PreviousParagraph),
            ("前条", Token::PreviousArticle),
        ] {
            patterns.push((word.to_owned(), token));
        }
        // A name of a law stands before a text under a law of the same spelling: the first pattern of a spelling wins.
        patterns.sort_by_key(|(_, token)| !matches!(token, Token::Law { .. }));
        let mut seen = std::collections::HashSet::new();
        patterns.retain(|(pattern, _)| seen.insert(pattern.clone()));
        let names = patterns.iter().filter(|(_, token)| matches!(token, Token::Law { .. } | Token::OtherText));
        let mut hints = hints(names.map(|(name, _)| name.as_str()).collect());
        hints.push("《".to_owned());
        let hints = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(hints).ok();
        Names { patterns, automaton: OnceLock::new(), hints }
    }

    /// Whether a law may be named in `text`.
    pub fn may_stand_in(&self, text: &str) -> bool {
        self.hints.as_ref().is_none_or(|hints| hints.is_match(text))
    }

    /// The tokens of `text` in order, with the byte ranges they stand on.
    pub fn find<'n, 't>(
        &'n self,
        text: &'t str,
    ) -> impl Iterator<Item = (std::ops::Range<usize>, Token)> + use<'n, 't> {
        // Leftmost-longest: 劳动合同法 is not 合同法, and 合同法律 is neither.
        let build = || {
            let names = self.patterns.iter().map(|(pattern, _)| pattern);
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(names).ok()
        };
        let matches = self.automaton.get_or_init(build).iter().flat_map(move |automaton| automaton.find_iter(text));
        matches.map(|found| (found.range(), self.patterns[found.pattern().as_usize()].1))
    }
}

/// Characters of which every name holds one; few, each taken from as many of the names left as can be.
fn hints(mut names: Vec<&str>) -> Vec<String> {
    let mut hints = Vec::new();
    while !names.is_empty() {
        let mut counts: BTreeMap<char, usize> = BTreeMap::new();
        for name in &names {
            let mut chars: Vec<char> = name.chars().collect();
            chars.sort_unstable();
            chars.dedup();
            chars.into_iter().for_each(|c| *counts.entry(c).or_default() += 1);
        }
        let Some((hint, _)) = counts.into_iter().max_by_key(|(c, count)| (*count, *c)) else { break };
        names.retain(|name| !name.contains(hint));
        hints.push(hint.to_string());
    }
    hints
}

fn add_name(patterns: &mut Vec<(String, Token)>, name: &str, law: usize) {
    let length = name.len();
    patterns.push((name.to_owned(), Token::Law { law, length }));
    if name.ends_with('法') && !name.ends_with("办法") {
        patterns.extend(AFTER_ACT.iter().map(|after| (format!("{name}{after}"), Token::Decoy)));
        patterns.push((format!("{name}规定"), Token::Law { law, length }));
    }
    if name.ends_with('法') || name.ends_with('典') || name.ends_with("条例") || name.ends_with('则') {
        patterns.extend(UNDER.iter().map(|under| (format!("{name}{under}"), Token::OtherText)));
    }
}

/// A name with round brackets in full and in half width.
fn spellings(name: &str) -> Vec<String> {
    let half = name.replace('（', "(").replace('）', ")");
    let full = name.replace('(', "（").replace(')', "）");
    if half == full { vec![half] } else { vec![half, full] }
}
