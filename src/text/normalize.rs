//! Normalised views with alignment, and the cheap test whether a turn needs normalising at all.
//!
//! *plain*: NFKC, lower case, zero-width characters removed, traditional → simplified.
//! *folded*: plain, with noise between Han characters removed, single letters joined and repeats collapsed.
//! *sound*: plain, with every Han character replaced by a private-use character that stands for its tone-less pinyin.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use pinyin::ToPinyin;
use serde::{Deserialize, Serialize};
use tokenizers::NormalizedString;
use tokenizers::tokenizer::normalizer::Range as NormalizedRange;
use unicode_normalization_alignments::UnicodeNormalization;

use crate::span::Span;
use crate::text::marks::{ends_sentence, half_width};
use crate::timings::{Stage, stage};

include!(concat!(env!("OUT_DIR"), "/characters.rs"));

const CHANGES: u8 = 1;
const HAN: u8 = 4;
const NOISE: u8 = 8;

/// The longest run of noise that folding removes between two Han characters, in characters.
const MAX_NOISE: usize = 2;

/// Which form of the text an entry is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Normalised only.
    #[default]
    Plain,
    /// Also freed of noise and repeats, against evasion.
    Folded,
    /// By pronunciation, against homophones and recognition errors.
    Sound,
}

fn property(c: char) -> u8 {
    match PROPERTIES.get(c as usize) {
        Some(property) => *property,
        None if ('\u{20000}'..='\u{3fffd}').contains(&c) => HAN | CHANGES,
        // Emoji; of the other planes no more is known than that they may change under NFKC.
        None if ('\u{1f000}'..='\u{1f0ff}').contains(&c) || ('\u{1f300}'..='\u{1faff}').contains(&c) => NOISE,
        None => CHANGES,
    }
}

/// Whether `c` is a Chinese character.
pub fn is_han(c: char) -> bool {
    property(c) & HAN != 0
}

/// Whether a clause ends with `c`. Recognised speech has blanks where writing has commas; emoji part clauses too.
pub fn ends_clause(c: char) -> bool {
    ends_sentence(c) || c.is_whitespace() || matches!(half_width(c), ',' | '、' | ':') || c > '\u{1efff}'
}

/// What one pass over a text tells about the work it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// The plain view differs from the text by more than the width of its punctuation.
    pub changes: bool,
    /// The folded view may differ from the plain view.
    pub folds: bool,
}

/// Looks once at every character. No allocation.
pub fn traits(text: &str) -> Traits {
    let _stage = stage(Stage::Normalise);
    let (mut all, mut folds) = (0u8, false);
    let (mut previous, mut repeat, mut noise_after_han) = ('\0', 0u32, 0usize);
    let mut letters_apart = 0u32;
    for c in text.chars() {
        let p = property(c);
        all |= p;
        // What an exotic character becomes is not known here; it may become something that folds.
        folds |= p & CHANGES != 0 && p & HAN == 0 && !c.is_ascii_uppercase();
        if p & HAN != 0 {
            folds |= (1..=MAX_NOISE).contains(&noise_after_han);
            noise_after_han = 0;
        } else if p & NOISE != 0 && (noise_after_han > 0 || property(previous) & HAN != 0) {
            noise_after_han += 1;
        } else {
            noise_after_han = 0;
        }
        if c == previous {
            repeat += 1;
            folds |= repeat >= 2;
        } else {
            repeat = 0;
        }
        if c.is_ascii_alphabetic() {
            let apart = property(previous) & NOISE != 0 && !previous.is_ascii_digit();
            letters_apart = if apart { letters_apart + 1 } else { 0 };
            folds |= letters_apart > 0;
        }
        previous = c;
    }
    Traits { changes: all & CHANGES != 0, folds }
}

fn simplify(c: char) -> char {
    if !('\u{3400}'..='\u{2ebef}').contains(&c) {
        return c;
    }
    SIMPLIFIED.binary_search_by_key(&c, |pair| pair.0).map_or(c, |at| SIMPLIFIED[at].1)
}

fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// The plain view without alignment, for the gate and for entries. Equal to the text of [`ViewText::plain`].
pub fn plain_text(text: &str) -> String {
    let lowered = text.nfkc().flat_map(|(c, _)| c.to_lowercase());
    lowered.filter(|c| !is_ignorable(*c)).map(simplify).collect()
}

/// What the gate searches for the plain view: the text itself unless it needs normalising. Full-width punctuation is
/// left as it is, since no entry contains any.
pub fn gate_text(text: &str, traits: Traits) -> Cow<'_, str> {
    let _stage = stage(Stage::Normalise);
    if traits.changes { Cow::Owned(plain_text(text)) } else { Cow::Borrowed(text) }
}

/// A view of a text that knows where each of its bytes comes from.
#[derive(Debug, Clone)]
pub enum ViewText {
    /// The text itself: but for the width of its punctuation it is its own plain view.
    Same(Box<str>),
    /// With alignment.
    Aligned(NormalizedString),
}

impl ViewText {
    /// The plain view of `original`.
    pub fn plain(original: &str) -> ViewText {
        if traits(original).changes { ViewText::Aligned(aligned(original)) } else { ViewText::Same(original.into()) }
    }

    /// The folded view, from the plain one.
    pub fn folded(&self) -> ViewText {
        let mut text = self.normalized().into_owned();
        let keep = fold_mask(text.get());
        // The form `NormalizedString::transform` wants: each kept character with how many were dropped after it.
        let (mut kept, mut removed, mut removed_start) = (Vec::new(), 0isize, 0usize);
        for (c, keep) in text.get().chars().zip(&keep) {
            if *keep {
                if let Some((_, change)) = kept.last_mut() {
                    *change = -removed;
                } else {
                    removed_start = removed.unsigned_abs();
                }
                removed = 0;
                kept.push((c, 0));
            } else {
                removed += 1;
            }
        }
        if let Some((_, change)) = kept.last_mut() {
            *change = -removed;
        }
        text.transform(kept, removed_start);
        ViewText::Aligned(text)
    }

    /// The text of the view.
    pub fn text(&self) -> &str {
        match self {
            ViewText::Same(text) => text,
            ViewText::Aligned(text) => text.get(),
        }
    }

    /// The normalised string, for the pre-tokenizer.
    pub fn normalized(&self) -> Cow<'_, NormalizedString> {
        match self {
            ViewText::Same(text) => Cow::Owned(NormalizedString::from(&**text)),
            ViewText::Aligned(text) => Cow::Borrowed(text),
        }
    }

    /// The byte range of the original that a byte range of this view comes from; on character boundaries.
    pub fn original(&self, range: Span) -> Span {
        match self {
            ViewText::Same(_) => range,
            ViewText::Aligned(text) => {
                let range = NormalizedRange::Normalized(range);
                text.convert_offsets(range).expect("a range of the view lies inside it")
            }
        }
    }
}

fn aligned(original: &str) -> NormalizedString {
    let mut text = NormalizedString::from(original);
    text.nfkc().lowercase().filter(|c| !is_ignorable(c)).map(simplify);
    text
}

/// The folded form of an entry or of a plain text, without alignment.
pub fn folded_text(plain: &str) -> String {
    let mut folded = String::with_capacity(plain.len());
    fold_into(plain, &mut folded);
    folded
}

/// Appends the folded form of a plain text to `folded`, in one pass; the same characters as `fold_mask` keeps.
pub fn fold_into(plain: &str, folded: &mut String) {
    let _stage = stage(Stage::Normalise);
    let bytes = plain.as_bytes();
    let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let (mut last, mut run) = ('\0', 0u32);
    let mut emit = |c: char| {
        run = if c == last && !c.is_ascii_digit() { run + 1 } else { 1 };
        last = c;
        match run {
            1 | 2 => folded.push(c),
            3 => {
                folded.pop();
            }
            _ => {}
        }
    };
    let mut before = '\0';
    let mut chars = plain.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if property(c) & NOISE == 0 {
            emit(c);
            before = c;
            continue;
        }
        let (mut end, mut length, mut digits) = (at + c.len_utf8(), 1, c.is_ascii_digit());
        while let Some((next, c)) = chars.next_if(|(_, c)| property(*c) & NOISE != 0) {
            (end, length, digits) = (next + c.len_utf8(), length + 1, digits || c.is_ascii_digit());
        }
        let after = chars.peek().map_or('\0', |(_, c)| *c);
        let between_han = is_han(before) && is_han(after);
        // "s b", "t.m.d": a lone letter on both sides, not the ends of longer words.
        let lone_before = before.is_ascii_alphabetic() && !letter(at.checked_sub(2));
        let lone_after = after.is_ascii_alphabetic() && !letter(Some(end + 1));
        if length > MAX_NOISE || !(between_han || (lone_before && lone_after && !digits)) {
            plain[at..end].chars().for_each(&mut emit);
        }
    }
}

/// The sound form of an entry, without alignment.
pub fn sound_text(plain: &str) -> String {
    plain.chars().map(sound_of).collect()
}

/// Which characters of a plain text folding keeps.
fn fold_mask(plain: &str) -> Vec<bool> {
    let chars: Vec<char> = plain.chars().collect();
    let mut keep = vec![true; chars.len()];
    let noise = |at: usize| property(chars[at]) & NOISE != 0;
    let letter = |at: usize| chars.get(at).is_some_and(char::is_ascii_alphabetic);
    let mut at = 0;
    while at < chars.len() {
        if !noise(at) {
            at += 1;
            continue;
        }
        let end = (at..chars.len()).find(|i| !noise(*i)).unwrap_or(chars.len());
        let between_han = at > 0 && end < chars.len() && is_han(chars[at - 1]) && is_han(chars[end]);
        // "s b", "t.m.d": a lone letter on both sides, not the ends of longer words.
        let digits = chars[at..end].iter().any(char::is_ascii_digit);
        let lone = |i: usize| letter(i) && !(i > 0 && letter(i - 1)) && !letter(i + 1);
        let between_letters = at > 0 && end < chars.len() && !digits && lone(at - 1) && lone(end);
        if end - at <= MAX_NOISE && (between_han || between_letters) {
            keep[at..end].fill(false);
        }
        at = end;
    }
    // Three or more of one character say no more than one.
    let mut last: Option<(char, usize)> = None;
    let mut run: Vec<usize> = Vec::new();
    for (at, c) in chars.iter().enumerate().filter(|(at, _)| keep[*at]).map(|(at, c)| (at, *c)).collect::<Vec<_>>() {
        match last {
            Some((previous, _)) if previous == c && !c.is_ascii_digit() => run.push(at),
            _ => {
                collapse(&mut keep, &run);
                run.clear();
            }
        }
        last = Some((c, at));
    }
    collapse(&mut keep, &run);
    keep
}

fn collapse(keep: &mut [bool], run: &[usize]) {
    if run.len() >= 2 {
        for at in run {
            keep[*at] = false;
        }
    }
}

/// The private-use character of a Han character's tone-less pinyin; any other character stays.
fn sound_of(c: char) -> char {
    static SYLLABLES: OnceLock<HashMap<&'static str, char>> = OnceLock::new();
    // The stand-in takes three bytes: so must what it stands for.
    if !is_han(c) || c.len_utf8() != 3 {
        return c;
    }
    let syllables = SYLLABLES.get_or_init(|| {
        let mut plain: Vec<&'static str> =
            ('\u{4e00}'..='\u{9fff}').filter_map(|c| c.to_pinyin()).map(|p| confuse(p.plain())).collect();
        plain.sort_unstable();
        plain.dedup();
        let private = '\u{e000}'..='\u{f8ff}';
        plain.into_iter().zip(private).collect()
    });
    c.to_pinyin().and_then(|p| syllables.get(confuse(p.plain())).copied()).unwrap_or(c)
}

/// Syllables that recognisers and southern speakers do not keep apart share one form.
fn confuse(syllable: &'static str) -> &'static str {
    match syllable {
        "lue" | "lüe" => "lve",
        "nue" | "nüe" => "nve",
        "lü" => "lv",
        "nü" => "nv",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_come_back_in_the_original_behind_emoji_width_and_tradition() {
        for (original, found, stands_for) in [
            ("😊退不了", "退不了", "退不了"),
            ("ＡＢＣ退不了", "退不了", "退不了"),
            ("這個退不了喔", "这个", "這個"),
            ("滾\u{200b}蛋", "滚蛋", "滾\u{200b}蛋"),
            ("ﬁt不了", "t不了", "t不了"),
        ] {
            let view = ViewText::plain(original);
            let at = view.text().find(found).unwrap_or_else(|| panic!("{found} in {}", view.text()));
            assert_eq!(&original[view.original(at..at + found.len())], stands_for);
        }
    }

    #[test]
    fn folding_removes_what_evaders_insert() {
        for (plain, folded) in [
            ("傻 逼", "傻逼"),
            ("傻*逼", "傻逼"),
            ("傻😂逼", "傻逼"),
            ("你是s b吗", "你是sb吗"),
            ("t.m.d", "tmd"),
            ("size s black", "size s black"),
            ("滚滚滚滚", "滚"),
            ("好好的", "好好的"),
            ("傻。逼", "傻。逼"),
            ("退  款   吧", "退款 吧"),
        ] {
            assert_eq!(folded_text(plain), folded, "{plain}");
            assert_eq!(ViewText::plain(plain).folded().text(), folded, "{plain}");
        }
        let original = "你真是傻 *逼啊";
        let view = ViewText::plain(original).folded();
        let at = view.text().find("傻逼").expect("folded");
        assert_eq!(&original[view.original(at..at + "傻逼".len())], "傻 *逼");
    }

    #[test]
    fn homophones_share_a_sound() {
        assert_eq!(sound_text("推款"), sound_text("退款"));
        assert_ne!(sound_text("推款"), sound_text("付款"));
        assert_eq!(sound_text("abc"), "abc");
    }

    proptest! {
        #[test]
        fn the_gate_sees_what_the_view_sees(text in "\\PC{0,40}") {
            let t = traits(&text);
            let view = ViewText::plain(&text);
            prop_assert_eq!(plain_text(&text), plain_text(view.text()));
            if !t.changes {
                // Only full-width punctuation may differ.
                let inert = |c: char| half_width(c) != c;
                let rest: String = text.chars().filter(|c| !inert(*c)).collect();
                let same: String = plain_text(&rest);
                prop_assert_eq!(rest, same);
            }
            if !t.folds {
                let plain = plain_text(&text);
                prop_assert_eq!(folded_text(&plain), plain);
            }
        }

        #[test]
        fn folding_with_and_without_alignment_agree(text in "[a-c 1.*。😊滚傻逼]{0,12}") {
            let view = ViewText::plain(&text);
            let folded = view.folded();
            prop_assert_eq!(folded_text(view.text()), plain_text(folded.text()));
        }

        #[test]
        fn normalising_twice_changes_nothing(text in "[\\PC\\u{4e00}-\\u{9fff}]{0,40}") {
            let once = plain_text(&text);
            prop_assert_eq!(plain_text(&once), once);
        }

        #[test]
        fn spans_lie_on_character_boundaries(text in "[a-zA-Z \\u{4e00}-\\u{4e20}\\u{ff21}-\\u{ff3a}\\u{200b}😊é]{1,30}") {
            for view in [ViewText::plain(&text), ViewText::plain(&text).folded()] {
                for (at, c) in view.text().char_indices() {
                    let span = view.original(at..at + c.len_utf8());
                    prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
                }
            }
        }
    }
}
