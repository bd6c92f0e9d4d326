//! Generates the character tables of `text::normalize`: one property byte for every character of the basic plane, and
//! the traditional → simplified pairs. Sources: OpenCC's character dictionary (crate `ferrous-opencc`) and the Unicode
//! tables of the crate that `tokenizers` normalises with.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use ferrous_opencc::{OpenCC, config::BuiltinConfig};
use unicode_normalization_alignments::UnicodeNormalization;

const CHANGES: u8 = 1;
const INERT: u8 = 2;
const HAN: u8 = 4;
const NOISE: u8 = 8;

fn main() {
    // The embedded files: `include_dir!` does not tell cargo about them.
    for path in ["build.rs", "lexicons", "statutes"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let opencc = OpenCC::from_config(BuiltinConfig::T2s).expect("the embedded OpenCC table loads");
    let mut simplified = Vec::new();
    for c in ('\u{3400}'..='\u{9fff}').chain('\u{20000}'..='\u{2ebef}') {
        let text = opencc.convert(&c.to_string());
        let mut chars = text.chars();
        if let (Some(s), None) = (chars.next(), chars.next())
            && s != c
        {
            simplified.push((c, s));
        }
    }

    let mut properties = vec![0u8; 0x10000];
    for (code, property) in (0u32..).zip(properties.iter_mut()) {
        let Some(c) = char::from_u32(code) else { continue };
        let changed: String = c.to_string().nfkc().map(|(c, _)| c).collect::<String>().to_lowercase();
        let maps = simplified.binary_search_by_key(&c, |pair| pair.0).is_ok();
        if is_han(c) {
            *property |= HAN;
        }
        if is_noise(c) {
            *property |= NOISE;
        }
        // A combining mark is unchanged alone but composes with what stands before it.
        if changed != c.to_string() || maps || is_ignorable(c) || is_combining(c) {
            *property |= if is_inert(c) { INERT } else { CHANGES };
        }
    }

    let mut out = String::new();
    writeln!(out, "static SIMPLIFIED: [(char, char); {}] = [", simplified.len()).expect("a string takes writes");
    for (from, to) in &simplified {
        writeln!(out, "    ({from:?}, {to:?}),").expect("a string takes writes");
    }
    writeln!(out, "];\nstatic PROPERTIES: [u8; 65536] = {properties:?};").expect("a string takes writes");
    let dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&dir).join("characters.rs"), out).expect("OUT_DIR is writable");
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Full-width marks that normalise to marks no entry may hold: a text whose only peculiarity they are is searched as it
/// is.
fn is_inert(c: char) -> bool {
    matches!(c, '！' | '（' | '）' | '，' | '：' | '；' | '？' | '～' | '…')
}

/// What people put between the characters of a word to slip past a filter. Not the marks that end clauses.
fn is_noise(c: char) -> bool {
    c.is_whitespace() && c != '\n'
        || c.is_ascii_digit()
        || matches!(
            c,
            '.' | '*' | '-' | '_' | '~' | '/' | '|' | '+' | '=' | '^' | '#' | '@' | '&' | '%' | '$' | '`' | '\'' | '\\'
        )
        || matches!(
            c,
            '·' | '•'
                | '・'
                | '●'
                | '○'
                | '◆'
                | '×'
                | '※'
                | '～'
                | '＊'
                | '．'
                | '－'
                | '＿'
                | '／'
                | '｜'
                | '＃'
        )
        || matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2460}'..='\u{24ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{ff10}'..='\u{ff19}')
        || is_ignorable(c)
}

/// Zero-width and formatting characters, removed by normalisation.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn is_combining(c: char) -> bool {
    unicode_normalization_alignments::char::is_combining_mark(c)
}
