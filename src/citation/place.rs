//! Where in a law: 第N条第M款第(K)项 in Chinese or Arabic numerals, lists and ranges of them.

use crate::model::Article;
use crate::span::Span;

/// Items of a range such as 第一项至第三项 are listed one by one up to this many.
const LONGEST_ITEM_RANGE: u8 = 20;

/// One article, or a range of articles, with the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Where it stands in the text.
    pub span: Span,
    /// The article, the first one of a range.
    pub article: Article,
    /// The last article of a range.
    pub until: Option<Article>,
    /// The paragraph.
    pub paragraph: Option<u8>,
    /// The item.
    pub item: Option<u8>,
}

/// Reads `text` from byte `at` on.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    /// The byte that comes next.
    pub at: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str, at: usize) -> Cursor<'t> {
        Cursor { text, at }
    }

    pub fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    pub fn eat(&mut self, wanted: &[char]) -> Option<char> {
        let c = self.peek().filter(|c| wanted.contains(c))?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub fn eat_word(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let rest = self.text.get(self.at..)?;
        let word = words.iter().copied().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(word)
    }

    /// Passes over spaces and the emphasis marks of Markdown.
    pub fn skip_blank(&mut self) {
        while let Some(c) = self.peek().filter(|c| is_blank(*c)) {
            self.at += c.len_utf8();
        }
    }

    /// Reads a number from 1 to 9999 in Arabic (also full-width) or Chinese numerals.
    pub fn number(&mut self) -> Option<u16> {
        let rest = self.text.get(self.at..)?;
        let is_arabic = |c: char| arabic(c).is_some();
        let digits: Vec<u16> = rest.chars().take_while(|c| is_arabic(*c)).filter_map(arabic).collect();
        let (value, length) = if digits.is_empty() {
            let chars: Vec<char> = rest.chars().take_while(|c| chinese(*c).is_some()).collect();
            (chinese_value(&chars)?, chars.iter().map(|c| c.len_utf8()).sum::<usize>())
        } else {
            if digits.len() > 4 {
                return None;
            }
            let value = digits.iter().fold(0, |value, digit| value * 10 + digit);
            (value, rest.chars().take_while(|c| is_arabic(*c)).map(char::len_utf8).sum())
        };
        if value == 0 {
            return None;
        }
        self.at += length;
        Some(value)
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{3000}' | '\u{a0}' | '*' | '_' | '`' | '\u{200b}'..='\u{200d}' | '\u{feff}')
}

fn arabic(c: char) -> Option<u16> {
    let digit = match c {
        '0'..='9' => u32::from(c) - u32::from('0'),
        '０'..='９' => u32::from(c) - u32::from('０'),
        _ => return None,
    };
    u16::try_from(digit).ok()
}

/// The value of a numeral: below 10 a digit, else a unit.
fn chinese(c: char) -> Option<u32> {
    Some(match c {
        '零' | '〇' | '○' => 0,
        '一' | '壹' => 1,
        '二' | '两' | '贰' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        '十' | '拾' => 10,
        '廿' => 20,
        '卅' => 30,
        '百' | '佰' => 100,
        '千' | '仟' => 1000,
        _ => return None,
    })
}

fn chinese_value(chars: &[char]) -> Option<u16> {
    if chars.is_empty() || chars.len() > 9 {
        return None;
    }
    let values: Vec<u32> = chars.iter().filter_map(|c| chinese(*c)).collect();
    if values.iter().all(|value| *value < 10) {
        // 一〇三, 二四: digits one after another.
        let value = values.iter().try_fold(0u32, |value, digit| value.checked_mul(10)?.checked_add(*digit))?;
        return u16::try_from(value).ok().filter(|value| *value < 10_000);
    }
    let (mut total, mut digit) = (0u32, 0u32);
    for value in values {
        match value {
            0..=9 => digit = value,
            20 | 30 => total += value,
            unit => {
                total += digit.max(1) * unit;
                digit = 0;
            }
        }
    }
    u16::try_from(total + digit).ok().filter(|value| *value < 10_000)
}

const RANGE: [&str; 9] = ["至", "到", "-", "—", "–", "~", "～", "－", "―"];
const AND: [&str; 10] = ["、", "以及", "或者", "，", ",", "和", "及", "与", "或", "；"];
const TIGHT_AND: [&str; 5] = ["、", "和", "及", "与", "或"];

/// Reads one or more places from `cursor` on and moves it behind them. `bare` allows 577条 and 56(1)(8) without 第, as
/// after the name of a law. Empty, with the cursor where it was, when there is none.
pub(super) fn places(cursor: &mut Cursor<'_>, bare: bool) -> Vec<Place> {
    let mut places = Vec::new();
    let mut try_at = cursor.clone();
    try_at.skip_blank();
    if !one(&mut try_at, bare, &mut places) {
        return places;
    }
    cursor.at = try_at.at;
    loop {
        try_at = cursor.clone();
        try_at.skip_blank();
        let Some(joint) = try_at.eat_word(&AND) else { return places };
        try_at.skip_blank();
        let tight = TIGHT_AND.contains(&joint);
        if one(&mut try_at, tight && joint == "、", &mut places) || further_part(&mut try_at, &mut places) {
            cursor.at = try_at.at;
        } else {
            return places;
        }
    }
}

/// Reads the part after 同条 or 该条: places of `article`.
pub(super) fn parts_of(cursor: &mut Cursor<'_>, article: Article) -> Vec<Place> {
    let start = cursor.at;
    let parts = parts(cursor);
    let span = start..cursor.at;
    parts
        .into_iter()
        .map(|(paragraph, item)| Place { span: span.clone(), article, until: None, paragraph, item })
        .collect()
}

fn one(cursor: &mut Cursor<'_>, bare: bool, places: &mut Vec<Place>) -> bool {
    let start = cursor.at;
    let Some(articles) = notation(cursor, bare).or_else(|| head(cursor, bare)) else {
        cursor.at = start;
        return false;
    };
    let head_end = cursor.at;
    let last = articles.len() - 1;
    for (at, found) in articles.into_iter().enumerate() {
        let (article, until, own) = found;
        let parts = match own {
            Some(part) => vec![part],
            None if at == last && until.is_none() => parts(cursor),
            None => Vec::new(),
        };
        let span = start..if at == last { cursor.at } else { head_end };
        if parts.is_empty() {
            places.push(Place { span, article, until, paragraph: None, item: None });
        } else {
            let place = |(paragraph, item)| Place { span: span.clone(), article, until, paragraph, item };
            places.extend(parts.into_iter().map(place));
        }
    }
    true
}

/// 、第二款 or 、第（五）项 after a place: another part of the same article.
fn further_part(cursor: &mut Cursor<'_>, places: &mut Vec<Place>) -> bool {
    let Some(before) = places.last().cloned().filter(|place| place.until.is_none()) else { return false };
    let start = cursor.at;
    let found = parts(cursor);
    if found.is_empty() {
        return false;
    }
    for (paragraph, item) in found {
        let paragraph = paragraph.or(if item.is_some() { before.paragraph } else { None });
        places.push(Place { span: start..cursor.at, article: before.article, until: None, paragraph, item });
    }
    true
}

type Found = (Article, Option<Article>, Option<(Option<u8>, Option<u8>)>);

/// 56(1)(8), as this program writes references.
fn notation(cursor: &mut Cursor<'_>, bare: bool) -> Option<Vec<Found>> {
    let start = cursor.at;
    let read = |cursor: &mut Cursor<'_>| {
        if !bare || !cursor.peek()?.is_ascii_digit() {
            return None;
        }
        let number = cursor.number()?;
        let mut parts = [None; 2];
        for part in &mut parts {
            let before = cursor.at;
            *part = cursor.eat(&['(']).and_then(|_| cursor.number()).filter(|_| cursor.eat(&[')']).is_some());
            if part.is_none() {
                cursor.at = before;
                break;
            }
        }
        let small = |n: Option<u16>| n.and_then(|n| u8::try_from(n).ok());
        let article = Article { number, branch: 0 };
        parts[0].map(|_| vec![(article, None, Some((small(parts[0]), small(parts[1]))))])
    };
    let found = read(cursor);
    if found.is_none() {
        cursor.at = start;
    }
    found
}

fn head(cursor: &mut Cursor<'_>, bare: bool) -> Option<Vec<Found>> {
    let ordinal = cursor.eat(&['第']).is_some();
    if !ordinal && !bare {
        return None;
    }
    cursor.skip_blank();
    let mut numbers: Vec<(u16, Option<u16>)> = vec![(cursor.number()?, None)];
    loop {
        cursor.skip_blank();
        if cursor.eat(&['条', '條']).is_some() {
            break;
        }
        let range = cursor.eat_word(&RANGE).is_some();
        if !range {
            cursor.eat_word(&TIGHT_AND)?;
        }
        cursor.skip_blank();
        cursor.eat(&['第']);
        cursor.skip_blank();
        let number = cursor.number()?;
        match numbers.last_mut() {
            Some((first, until)) if range && until.is_none() && number > *first => *until = Some(number),
            _ if range => return None,
            _ => numbers.push((number, None)),
        }
    }
    let plain = |number| Article { number, branch: 0 };
    let mut found: Vec<Found> = numbers.into_iter().map(|(n, until)| (plain(n), until.map(plain), None)).collect();
    if let Some((article, until, _)) = found.last_mut() {
        article.branch = branch(cursor);
        if until.is_none() {
            *until = range_end(cursor).filter(|end| end > article);
        }
    }
    Some(found)
}

/// 之一 after 条, but not 之一般.
fn branch(cursor: &mut Cursor<'_>) -> u8 {
    let start = cursor.at;
    let branch = cursor.eat(&['之']).and_then(|_| cursor.number()).and_then(|n| u8::try_from(n).ok());
    match branch {
        Some(branch) if cursor.peek() != Some('般') => branch,
        _ => {
            cursor.at = start;
            0
        }
    }
}

/// 至第十条 after 第八条.
fn range_end(cursor: &mut Cursor<'_>) -> Option<Article> {
    let start = cursor.at;
    let mut read = || {
        cursor.skip_blank();
        cursor.eat_word(&RANGE)?;
        cursor.skip_blank();
        cursor.eat(&['第']);
        cursor.skip_blank();
        let number = cursor.number()?;
        cursor.skip_blank();
        cursor.eat(&['条', '條'])?;
        Some(Article { number, branch: branch(cursor) })
    };
    let end = read();
    if end.is_none() {
        cursor.at = start;
    }
    end
}

/// 第一款第(八)项, 第一、二款, 第(一)至(三)项 … Empty, with the cursor where it was, when there is none.
fn parts(cursor: &mut Cursor<'_>) -> Vec<(Option<u8>, Option<u8>)> {
    let paragraphs = units(cursor, '款');
    let items = units(cursor, '项');
    match (paragraphs.as_slice(), items.as_slice()) {
        (paragraphs, []) => paragraphs.iter().map(|p| (Some(*p), None)).collect(),
        ([], items) => items.iter().map(|i| (None, Some(*i))).collect(),
        ([before @ .., last], items) => {
            let whole = before.iter().map(|p| (Some(*p), None));
            whole.chain(items.iter().map(|i| (Some(*last), Some(*i)))).collect()
        }
    }
}

fn units(cursor: &mut Cursor<'_>, unit: char) -> Vec<u8> {
    let mut found = Vec::new();
    let mut good = cursor.clone();
    let mut pending: Vec<u8> = Vec::new();
    let mut read = cursor.clone();
    loop {
        read.skip_blank();
        read.eat(&['第']);
        read.skip_blank();
        let open = read.eat(&['(', '（']).is_some();
        let Some(number) = read.number().and_then(|n| u8::try_from(n).ok()) else { break };
        if open && read.eat(&[')', '）']).is_none() {
            break;
        }
        match pending.last() {
            // A range: what lies between its ends is meant too.
            Some(0) => {
                pending.pop();
                let from = pending.last().or(found.last()).copied().unwrap_or(number);
                pending.extend((from.saturating_add(1)..=number).take(usize::from(LONGEST_ITEM_RANGE)));
            }
            _ => pending.push(number),
        }
        read.skip_blank();
        if read.eat(&[unit]).is_some() {
            found.append(&mut pending);
            good.at = read.at;
            read.skip_blank();
        }
        if read.eat_word(&RANGE).is_some() {
            pending.push(0);
        } else if read.eat_word(&TIGHT_AND).is_none() {
            break;
        }
    }
    cursor.at = good.at;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut cursor = Cursor::new(text, 0);
        let found = places(&mut cursor, true);
        found
            .iter()
            .map(|place| {
                let until = place.until.map(|until| format!("..{until}")).unwrap_or_default();
                let part = |part: Option<u8>| part.map(|n| format!("({n})")).unwrap_or_default();
                format!("{}{until}{}{}", place.article, part(place.paragraph), part(place.item))
            })
            .collect()
    }

    #[test]
    fn places_are_read_in_every_notation() {
        let cases: &[(&str, &[&str])] = &[
            ("第二十四条", &["24"]),
            ("第24条", &["24"]),
            ("第 ２４ 条", &["24"]),
            ("第二四条", &["24"]),
            ("第一百〇三条", &["103"]),
            ("第一千二百六十条", &["1260"]),
            ("577条", &["577"]),
            ("第五十六条第一款第（八）项", &["56(1)(8)"]),
            ("第56条第1款第8项", &["56(1)(8)"]),
            ("第五十六条第(八)项", &["56(8)"]),
            ("56(1)(8)", &["56(1)(8)"]),
            ("第二百五十三条之一第一款", &["253之一(1)"]),
            ("第293条之一般规定", &["293"]),
            ("第二十四、二十五条", &["24", "25"]),
            ("第八条至第十条", &["8..10"]),
            ("第496-498条", &["496..498"]),
            ("第24条和第25条", &["24", "25"]),
            ("第二十五条第一款、第二款", &["25(1)", "25(2)"]),
            ("第二十五条第一、三款", &["25(1)", "25(3)"]),
            ("第六条第（一）至（三）项", &["6(1)", "6(2)", "6(3)"]),
            ("第六条第一款第一项、第四项", &["6(1)(1)", "6(1)(4)"]),
            ("第48条第1款、第56条第1款第8项", &["48(1)", "56(1)(8)"]),
            ("第三个", &[]),
            ("第三章", &[]),
            ("第0条", &[]),
            ("第12345条", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), *expected, "{text}");
        }
    }
}
