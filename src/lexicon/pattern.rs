//! The phrase syntax: `不(能|支持)..{remedy}$` → sequences of literal sets and gaps.
//!
//! | syntax | meaning |
//! |---|---|
//! | `退不了` | the text itself, after normalisation |
//! | `{name}` | any member of the word class; `{number}` is any number or number placeholder |
//! | `(a\|b)` `(a)?` | one of these; this or nothing |
//! | `<滚>` | only as a whole word, as jieba segments |
//! | `..` `..5` | up to 3 (5) words in between, in one clause |
//! | `…` `…9` | up to 8 (9) words in between, in one sentence |
//! | `^` `$` | start, end of a clause (particles and blanks aside) |
//! | `^^` `$$` | start, end of the turn |
//! | `\` | takes the next character as it is |

use serde::{Deserialize, Serialize};

use crate::text::normalize::{ends_clause, is_han, plain_text};

/// How far apart two neighbours may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Gap {
    /// They touch.
    None,
    /// At most so many words, without leaving the clause.
    Clause(u16),
    /// At most so many words, without leaving the sentence.
    Sentence(u16),
}

/// Where a match must begin or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Edge {
    /// Anywhere.
    Any,
    /// At a clause's start or end.
    Clause,
    /// At the turn's start or end.
    Turn,
}

/// One place of a sequence: any of the literals or classes, after a gap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// How it follows the place before; [`Gap::None`] on the first.
    pub gap: Gap,
    /// Normalised literals, sorted.
    pub literals: Vec<String>,
    /// Names of classes, sorted.
    pub classes: Vec<String>,
    /// Only where words begin and end.
    pub whole: bool,
}

/// One way to read a phrase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence {
    /// Where it must begin.
    pub start: Edge,
    /// Where it must end.
    pub end: Edge,
    /// At least one.
    pub places: Vec<Place>,
}

/// How many readings one phrase may have.
const MAX_READINGS: usize = 256;
/// How many literals neighbouring sets may be joined into for matching. More would swell the automaton of all literals;
/// the gate joins further.
const MAX_JOINED: usize = 6;

#[derive(Debug, Clone)]
enum Node {
    Literal(String),
    Whole(String),
    Class(String),
    Gap(Gap),
    Choice(Vec<Vec<Node>>),
}

/// Reads a phrase.
///
/// # Errors
/// What is wrong, and the byte offset in `phrase` where.
pub fn parse(phrase: &str) -> Result<Vec<Sequence>, (usize, String)> {
    let mut body = phrase;
    let (mut start, mut end) = (Edge::Any, Edge::Any);
    if let Some(rest) = body.strip_prefix('^') {
        (start, body) = match rest.strip_prefix('^') {
            Some(rest) => (Edge::Turn, rest),
            None => (Edge::Clause, rest),
        };
    }
    if !body.ends_with("\\$") {
        if let Some(rest) = body.strip_suffix("$$") {
            (end, body) = (Edge::Turn, rest);
        } else if let Some(rest) = body.strip_suffix('$') {
            (end, body) = (Edge::Clause, rest);
        }
    }
    let offset = phrase.find(body).unwrap_or(0);
    let mut parser = Parser { text: body, at: 0 };
    let nodes = parser.sequence(false).map_err(|(at, message)| (offset + at, message))?;
    let mut readings: Vec<Vec<Place>> = vec![Vec::new()];
    lower(&nodes, &mut readings).map_err(|message| (offset, message))?;
    let mut sequences = Vec::new();
    for places in readings {
        let joined = join(places).map_err(|message| (offset, message))?;
        sequences.extend(joined.into_iter().map(|places| Sequence { start, end, places }));
    }
    sequences.sort_unstable();
    sequences.dedup();
    Ok(sequences)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn until(&mut self, close: char) -> Result<String, (usize, String)> {
        let rest = &self.text[self.at..];
        match rest.find(close) {
            Some(end) if end > 0 => {
                self.at += end + close.len_utf8();
                Ok(rest[..end].to_owned())
            }
            _ => Err((self.at, format!("expected a name and '{close}'"))),
        }
    }

    fn number(&mut self, default: u16) -> u16 {
        let digits: String = self.text[self.at..].chars().take_while(char::is_ascii_digit).collect();
        self.at += digits.len();
        digits.parse().unwrap_or(default)
    }

    fn sequence(&mut self, nested: bool) -> Result<Vec<Node>, (usize, String)> {
        let mut nodes = Vec::new();
        let mut literal = String::new();
        while let Some(c) = self.peek() {
            if nested && (c == '|' || c == ')') {
                break;
            }
            let here = self.at;
            if self.eat("..") {
                flush(&mut literal, &mut nodes);
                nodes.push(Node::Gap(Gap::Clause(self.number(3))));
            } else if self.eat("…") {
                flush(&mut literal, &mut nodes);
                nodes.push(Node::Gap(Gap::Sentence(self.number(8))));
            } else if self.eat("{") {
                flush(&mut literal, &mut nodes);
                nodes.push(Node::Class(self.until('}')?));
            } else if self.eat("<") {
                flush(&mut literal, &mut nodes);
                nodes.push(Node::Whole(check(plain_text(&self.until('>')?), here)?));
            } else if self.eat("(") {
                flush(&mut literal, &mut nodes);
                let mut choices = vec![self.sequence(true)?];
                while self.eat("|") {
                    choices.push(self.sequence(true)?);
                }
                if !self.eat(")") {
                    return Err((here, "this '(' is not closed".to_owned()));
                }
                if self.eat("?") {
                    choices.push(Vec::new());
                }
                nodes.push(Node::Choice(choices));
            } else if matches!(c, '}' | '>' | ')' | '|' | '?' | '^' | '$') {
                return Err((here, format!("'{c}' does not fit here; write '\\{c}' for the character itself")));
            } else {
                if self.eat("\\") && self.peek().is_none() {
                    return Err((here, "nothing follows '\\'".to_owned()));
                }
                let c = self.peek().unwrap_or(c);
                self.at += c.len_utf8();
                literal.push(c);
                // Most characters need no normalising to be told from punctuation.
                if !is_han(c) && !c.is_ascii_alphanumeric() {
                    check(plain_text(&c.to_string()), here)?;
                }
            }
        }
        flush(&mut literal, &mut nodes);
        Ok(nodes)
    }
}

fn check(literal: String, at: usize) -> Result<String, (usize, String)> {
    let mark = |c: &char| ends_clause(*c) && !c.is_whitespace() && *c < '\u{1f000}' || matches!(c, '(' | ')');
    match literal.chars().find(mark) {
        Some(c) => Err((at, format!("'{c}' parts text and cannot be part of an entry; use '…' to go past it"))),
        None => Ok(literal),
    }
}

fn flush(literal: &mut String, nodes: &mut Vec<Node>) {
    let text = plain_text(literal);
    // Blanks are for the author's eye, except inside Latin text.
    let text = if text.is_ascii() { text.trim().to_owned() } else { text.replace(' ', "") };
    if !text.is_empty() {
        nodes.push(Node::Literal(text));
    }
    literal.clear();
}

fn lower(nodes: &[Node], readings: &mut Vec<Vec<Place>>) -> Result<(), String> {
    let mut gap = Gap::None;
    for node in nodes {
        let place = match node {
            Node::Gap(g) => {
                gap = *g;
                continue;
            }
            Node::Literal(text) => Place { gap, literals: vec![text.clone()], classes: vec![], whole: false },
            Node::Whole(text) => Place { gap, literals: vec![text.clone()], classes: vec![], whole: true },
            Node::Class(name) => Place { gap, literals: vec![], classes: vec![name.clone()], whole: false },
            Node::Choice(choices) => match flat(choices, gap) {
                Some(place) => place,
                None => {
                    let mut all = Vec::new();
                    for choice in choices {
                        let mut branch = readings.clone();
                        let mut tail: Vec<Vec<Place>> = vec![Vec::new()];
                        lower(choice, &mut tail)?;
                        for reading in &mut branch {
                            for places in &tail {
                                let mut whole = reading.clone();
                                for (at, place) in places.iter().enumerate() {
                                    let mut place = place.clone();
                                    if at == 0 && place.gap == Gap::None {
                                        place.gap = gap;
                                    }
                                    whole.push(place);
                                }
                                if places.is_empty() && gap != Gap::None {
                                    whole.push(Place {
                                        gap,
                                        literals: vec![String::new()],
                                        classes: vec![],
                                        whole: false,
                                    });
                                }
                                all.push(whole);
                            }
                        }
                    }
                    if all.len() > MAX_READINGS {
                        return Err(format!(
                            "the phrase has more than {MAX_READINGS} readings; use a class or split it"
                        ));
                    }
                    *readings = all;
                    gap = Gap::None;
                    continue;
                }
            },
        };
        gap = Gap::None;
        for reading in readings.iter_mut() {
            reading.push(place.clone());
        }
    }
    if gap != Gap::None {
        return Err("a gap must stand between two words".to_owned());
    }
    Ok(())
}

/// A choice between single literals and classes is one place.
fn flat(choices: &[Vec<Node>], gap: Gap) -> Option<Place> {
    let mut place = Place { gap, literals: vec![], classes: vec![], whole: false };
    for choice in choices {
        match choice.as_slice() {
            [] => place.literals.push(String::new()),
            [Node::Literal(text)] => place.literals.push(text.clone()),
            [Node::Class(name)] => place.classes.push(name.clone()),
            _ => return None,
        }
    }
    // "This class or nothing" has two readings.
    if place.literals.iter().any(String::is_empty) && !place.classes.is_empty() {
        return None;
    }
    Some(place)
}

/// Joins touching literal places, so that the automaton gets the longest literals it can; what is still optional then
/// makes two readings, with and without.
fn join(places: Vec<Place>) -> Result<Vec<Vec<Place>>, String> {
    let mut joined: Vec<Place> = Vec::new();
    for place in places {
        if let Some(last) = joined.last_mut() {
            let literal = |p: &Place| p.classes.is_empty() && !p.whole;
            let size = last.literals.len() * place.literals.len();
            if place.gap == Gap::None && literal(last) && literal(&place) && size <= MAX_JOINED {
                last.literals =
                    last.literals.iter().flat_map(|a| place.literals.iter().map(move |b| format!("{a}{b}"))).collect();
                continue;
            }
        }
        joined.push(place);
    }
    // Each reading with the gap before a word that was left out: the next word stands behind it.
    let mut readings: Vec<(Vec<Place>, Gap)> = vec![(Vec::new(), Gap::None)];
    for mut place in joined {
        let optional = place.literals.iter().any(String::is_empty);
        place.literals.retain(|literal| !literal.is_empty());
        place.literals.sort();
        place.literals.dedup();
        place.classes.sort();
        place.classes.dedup();
        let mut without = if optional { readings.clone() } else { Vec::new() };
        for (_, gap) in &mut without {
            *gap = (*gap).max(place.gap);
        }
        if !(place.literals.is_empty() && place.classes.is_empty()) {
            for (places, gap) in &mut readings {
                places.push(Place { gap: place.gap.max(*gap), ..place.clone() });
                *gap = Gap::None;
            }
        }
        readings.extend(without);
    }
    let mut readings: Vec<Vec<Place>> = readings.into_iter().map(|(places, _)| places).collect();
    for reading in &mut readings {
        match reading.first_mut() {
            Some(first) => first.gap = Gap::None,
            None => return Err("the phrase may be empty".to_owned()),
        }
    }
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(phrase: &str) -> Vec<Vec<String>> {
        let sequences = parse(phrase).unwrap_or_else(|e| panic!("{phrase}: {e:?}"));
        assert_eq!(sequences.len(), 1, "{phrase}");
        sequences[0].places.iter().map(|p| p.literals.clone()).collect()
    }

    #[test]
    fn touching_literals_are_joined() {
        assert_eq!(literals("退不了"), [["退不了"]]);
        assert_eq!(literals("(退|换)不了"), [["换不了", "退不了"]]);
        assert_eq!(literals("这个(也)?不行"), [["这个不行", "这个也不行"]]);
        assert_eq!(literals("不能..退"), [["不能"], ["退"]]);
        assert_eq!(literals("ＳＢ客服 滾"), [["sb客服滚"]]);
    }

    #[test]
    fn gaps_edges_classes_and_whole_words_are_read() {
        let s = &parse("^<滚>..5{you}…$").expect_err("a gap at the end");
        assert!(s.1.contains("gap"));
        let s = &parse("^<滚>..5{you}$$").expect("well formed")[0];
        assert_eq!((s.start, s.end), (Edge::Clause, Edge::Turn));
        assert!(s.places[0].whole);
        assert_eq!(s.places[1].gap, Gap::Clause(5));
        assert_eq!(s.places[1].classes, ["you"]);
        assert_eq!(parse("({a}|不{b}|c)").expect("well formed").len(), 3);
        assert_eq!(parse("{a}(也)?{b}").expect("well formed").len(), 2);
        let gaps = |phrase: &str| {
            let readings = parse(phrase).expect("well formed");
            readings.iter().map(|s| s.places.iter().map(|p| p.gap).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(
            gaps("{a}…4(也)?{b}"),
            [vec![Gap::None, Gap::Sentence(4)], vec![Gap::None, Gap::Sentence(4), Gap::None]]
        );
    }

    #[test]
    fn mistakes_are_placed() {
        assert_eq!(parse("退(不了").expect_err("open").0, 3);
        assert_eq!(parse("退，不了").expect_err("comma").0, 3);
        assert!(parse("").is_err());
        assert!(parse("退)").is_err());
    }
}
