//! Weighted cues: pieces of one to three characters, each with points for and against every family.
//!
//! Phrases find what their author thought of. What else is a breach is still said in words that breaches are made of, after
//! words that ask for trouble, before words of somebody who got it. The points are learned from labelled conversations
//! (`zhijian rules fit`) and kept in a table that can be read: `lexicons/cues.tsv`.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::{Diagnostic, SourceFile};
use crate::model::Family;
use crate::span::Span;
use crate::text::marks::half_width;

/// Points for each family, in the order of [`Family::CONDUCT`]: hundredths of what parts a breach from what is none.
pub type Points = [i32; Family::CONDUCT.len()];

/// The first line of a table: the columns.
pub const HEADER: &str = "cue\tplace\tinsult\tthreat\tstall\trefuse\tconceal\tunfair_terms\tobstruct\tprivacy\tcoerce";

/// Where a cue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In the agent's turn.
    Said,
    /// In the last customer turn before it.
    Asked,
    /// In the next customer turn after it.
    Answered,
}

impl Place {
    /// All places.
    pub const ALL: [Place; 3] = [Place::Said, Place::Asked, Place::Answered];

    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Said => "said",
            Place::Asked => "asked",
            Place::Answered => "answered",
        }
    }

    /// How many characters its cues have.
    fn lengths(self) -> RangeInclusive<usize> {
        match self {
            Place::Said => 1..=3,
            Place::Asked | Place::Answered => 2..=2,
        }
    }

    /// Tells cues of two characters from each other and from those of the turn itself: no character has this number.
    fn mark(self) -> u64 {
        match self {
            Place::Said => 0,
            Place::Asked => 1 << 63,
            Place::Answered => 1 << 62 | 1 << 63,
        }
    }
}

/// The table, to be looked up: open addressing over the cues, packed into numbers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cues {
    /// What a turn has before any cue counts.
    base: Points,
    /// 0 where there is none; a power of two of them.
    keys: Vec<u64>,
    /// For each key the row of its points.
    rows: Vec<u32>,
    points: Vec<[i8; Family::CONDUCT.len()]>,
}

/// The start and the end of a text, as characters that no text holds once it is read for cues.
const START: char = '\u{2}';
const END: char = '\u{3}';

/// The characters of a text as cues are made of them, with the bytes they stand for.
///
/// Digits count as one another, and runs of digits, blanks or marks as one.
pub fn read(plain: &str, into: &mut Vec<(char, Span)>) {
    into.clear();
    into.push((START, 0..0));
    for (at, c) in plain.char_indices() {
        let end = at + c.len_utf8();
        let c = match half_width(c) {
            c if c.is_whitespace() || c.is_control() || matches!(c, '^' | '$') => ' ',
            c if c.is_ascii_digit() => '0',
            c => c,
        };
        match into.last_mut() {
            Some((last, span)) if *last == c && (c == '0' || !c.is_alphanumeric()) => span.end = end,
            _ => into.push((c, at..end)),
        }
    }
    into.push((END, plain.len()..plain.len()));
}

/// Calls `each` with every cue that a text read by [`read`] has in `place`, and the characters it is made of.
pub fn pieces(place: Place, text: &[(char, Span)], mut each: impl FnMut(u64, std::ops::Range<usize>)) {
    for length in place.lengths() {
        for (start, piece) in text.windows(length).enumerate() {
            let key = piece.iter().fold(0u64, |key, (c, _)| key << 21 | u64::from(*c));
            each(key ^ place.mark(), start..start + length);
        }
    }
}

/// A cue as written in the table.
pub fn written(place: Place, key: u64) -> String {
    let key = key ^ place.mark();
    let chars = [key >> 42, key >> 21 & 0x1f_ffff, key & 0x1f_ffff];
    let chars = chars.into_iter().filter(|c| *c > 0).filter_map(|c| char::from_u32(u32::try_from(c).ok()?));
    chars
        .map(|c| {
            if c == START {
                '^'
            } else if c == END {
                '$'
            } else {
                c
            }
        })
        .collect()
}

fn key(place: Place, cue: &str) -> Option<u64> {
    let count = cue.chars().count();
    let char = |(at, c): (usize, char)| match c {
        '^' if at == 0 => START,
        '$' if at + 1 == count => END,
        c => c,
    };
    let key = || cue.chars().enumerate().map(char).fold(0u64, |key, c| key << 21 | u64::from(c)) ^ place.mark();
    place.lengths().contains(&count).then(key)
}

/// Keys differ in all their bits; the table looks at the upper ones of this.
fn spread(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Cues {
    /// Reads a table: tab-separated, first line [`HEADER`], then one cue a line; the line of place `base` has no cue. Points
    /// may be left empty.
    ///
    /// # Errors
    /// Every line that cannot be read.
    pub fn parse(file: &SourceFile) -> Result<Cues, Vec<Diagnostic>> {
        let (mut base, mut table, mut problems) = (Points::default(), HashMap::new(), Vec::new());
        let mut start = 0;
        for (number, line) in file.text.split('\n').enumerate() {
            let span = start..start + line.len();
            start += line.len() + 1;
            let line = line.strip_suffix('\r').unwrap_or(line);
            let mut problem = |message: &str, help: &str| {
                problems.push(file.diagnostic(span.clone(), "cue", message, help));
            };
            if number == 0 {
                if line != HEADER {
                    problem("the first line must name the columns", HEADER);
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let mut fields = line.split('\t');
            let (cue, place) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
            let points: Option<Vec<i32>> =
                fields.map(|field| if field.is_empty() { Some(0) } else { field.parse().ok() }).collect();
            let Some(points) = points.and_then(|points| Points::try_from(points).ok()) else {
                problem("a cue has a whole number or nothing for each family", HEADER);
                continue;
            };
            if place == "base" {
                base = points;
                continue;
            }
            let place = Place::ALL.into_iter().find(|other| other.as_str() == place);
            let Some(key) = place.and_then(|place| key(place, cue)) else {
                problem(
                    "a cue has up to three characters said, or two asked or answered",
                    "places: said, asked, answered, base",
                );
                continue;
            };
            let clamped = points.map(|points| points.clamp(-127, 127) as i8);
            if clamped.map(i32::from) != points {
                problem("points range from -127 to 127", "fit the table again");
            }
            if table.insert(key, clamped).is_some() {
                problem("the cue is listed twice", "remove one");
            }
        }
        if problems.is_empty() { Ok(Cues::new(base, table)) } else { Err(problems) }
    }

    fn new(base: Points, table: HashMap<u64, [i8; Family::CONDUCT.len()]>) -> Cues {
        let mut sorted: Vec<_> = table.into_iter().collect();
        sorted.sort_unstable();
        let slots = (sorted.len() * 2).next_power_of_two();
        let mut cues = Cues { base, keys: vec![0; slots], rows: vec![0; slots], points: Vec::new() };
        for (row, (key, points)) in (0..).zip(sorted) {
            let slot = cues.probe(key).find(|slot| cues.keys[*slot] == 0).expect("half of the slots are free");
            (cues.keys[slot], cues.rows[slot]) = (key, row);
            cues.points.push(points);
        }
        cues
    }

    /// The slots where `key` may stand, in order.
    fn probe(&self, key: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.keys.len() - 1;
        let first = (spread(key) >> 32) as usize;
        (0..=mask).map(move |step| (first + step) & mask)
    }

    fn row(&self, key: u64) -> Option<u32> {
        self.probe(key).find_map(|slot| match self.keys[slot] {
            0 => Some(None),
            found if found == key => Some(Some(self.rows[slot])),
            _ => None,
        })?
    }

    /// The points of one cue.
    pub fn points(&self, key: u64) -> Option<Points> {
        self.row(key).map(|row| self.points[row as usize].map(i32::from))
    }

    /// What a turn has before any cue counts.
    pub fn base(&self) -> Points {
        self.base
    }

    /// How many cues there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points of a plain text in `place`; a cue counts once, however often it stands there.
    pub fn sum(&self, place: Place, plain: &str) -> Points {
        let (mut text, mut rows) = (Vec::with_capacity(plain.len() / 3 + 2), Vec::new());
        read(plain, &mut text);
        pieces(place, &text, |key, _| rows.extend(self.row(key)));
        rows.sort_unstable();
        rows.dedup();
        let mut sum = Points::default();
        for row in rows {
            for (sum, points) in sum.iter_mut().zip(self.points[row as usize]) {
                *sum += i32::from(points);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(lines: &str) -> Result<Cues, Vec<Diagnostic>> {
        Cues::parse(&SourceFile::new("cues.tsv", format!("{HEADER}\n{lines}")))
    }

    #[test]
    fn a_cue_counts_once_in_its_place() {
        let cues = table("\tbase\t-90\t\t\t\t\t\t\t\t\n不退\tsaid\t\t\t\t40\t\t\t\t\t\n^退\tasked\t\t\t\t7\t\t\t\t\t\n0天\tsaid\t\t\t5\t\t\t\t\t\t\n").expect("whole");
        assert_eq!((cues.len(), cues.base()[0]), (3, -90));
        assert_eq!(cues.sum(Place::Said, "不退就是不退")[3], 40);
        assert_eq!(cues.sum(Place::Said, "等15天,１５天")[2], 5);
        assert_eq!(cues.sum(Place::Asked, "退货")[3], 7);
        assert_eq!(cues.sum(Place::Asked, "要退货"), Points::default());
        assert_eq!(cues.sum(Place::Answered, "退货"), Points::default());
    }

    #[test]
    fn every_bad_line_is_told_with_its_place() {
        let problems = table("不退\tsaid\t1\n不退\tsomewhere\t\t\t\t40\t\t\t\t\t\n长长长长\tsaid\t\t\t\t4\t\t\t\t\t\n退\tsaid\t900\t\t\t\t\t\t\t\t\n").expect_err("all wrong");
        let lines: Vec<u64> = problems.iter().map(|problem| problem.location.line).collect();
        assert_eq!(lines, [2, 3, 4, 5]);
    }

    #[test]
    fn what_is_written_is_read() {
        for (place, cue) in [(Place::Said, "^不退"), (Place::Said, "$"), (Place::Asked, "退$"), (Place::Answered, "? ")]
        {
            assert_eq!(written(place, key(place, cue).expect("a cue")), cue);
        }
    }
}
