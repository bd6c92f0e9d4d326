//! Text → mentions: which law, which places, and what the sentence says about them.

use std::ops::Range;

use crate::citation::names::{Names, Token};
use crate::citation::place::{Cursor, Place, parts_of, places};
use crate::model::Article;
use crate::span::Span;
use crate::statutes::StatuteBase;

/// The longest name in 《》, in bytes.
const LONGEST_TITLE: usize = 300;
/// How far behind the name of a law 第N条 may still mean that law, in bytes and within one sentence.
const REACH: usize = 180;
/// How much of a sentence is looked at on either side of a citation, in bytes.
const SENTENCE: usize = 1500;

/// A law as named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// A law of the base.
    Law(usize),
    /// A name that the base does not know.
    Other(String),
}

/// A place where a law is named or cited.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// The name, where it stands here, with the place.
    pub span: Span,
    pub law: Named,
    /// `None` where the law is named without an article.
    pub place: Option<Place>,
    /// Citations joined by 、 or 和 share a number: the sentence says one thing about all of them.
    pub group: usize,
    /// Named as former law (原合同法, 已废止的 …) or for facts of its time.
    pub historical: bool,
    /// The year of the version that is named.
    pub year: Option<i16>,
    /// Whether it stands in 《》 or behind a word such as 根据.
    pub formal: bool,
    /// Whether the law is meant by 前款, by a pointer or by nearness only.
    pub inferred: bool,
}

#[derive(Debug)]
struct Finder<'a> {
    base: &'a StatuteBase,
    text: &'a str,
    mentions: Vec<Mention>,
    aliases: Vec<(String, Named)>,
    /// What follows has been read up to here.
    done: usize,
    law: Option<(Named, bool, Option<i16>)>,
    /// Every law named so far, the last one last.
    named: Vec<(Named, String)>,
    last: Option<Place>,
    group: usize,
}

/// Every mention in `text`, in order.
pub(super) fn mentions(names: &Names, base: &StatuteBase, text: &str) -> Vec<Mention> {
    if !names.may_stand_in(text) {
        return Vec::new();
    }
    let mut finder = Finder {
        base,
        text,
        mentions: Vec::new(),
        aliases: Vec::new(),
        done: 0,
        law: None,
        named: Vec::new(),
        last: None,
        group: 0,
    };
    for (range, token) in names.find(text) {
        if range.start >= finder.done {
            finder.take(range, token);
        }
    }
    finder.mentions
}

impl Finder<'_> {
    fn take(&mut self, range: Range<usize>, token: Token) {
        match token {
            Token::Law { law, length } => self.name(range.start..range.start + length, Named::Law(law), false),
            Token::OtherText => {
                let name = self.text[range.clone()].to_owned();
                self.name(range, Named::Other(name), false);
            }
            Token::Decoy => self.done = range.end,
            Token::Quote => self.quoted(range.start),
            Token::Ordinal => self.ordinal(range.start),
            Token::Pointer(ends) => self.pointer(range, ends),
            Token::SameArticle => self.same_article(range),
            Token::PreviousParagraph => self.previous(range, true),
            Token::PreviousArticle => self.previous(range, false),
        }
    }

    /// 《…》
    fn quoted(&mut self, start: usize) {
        let Some(end) = closing(self.text, start) else { return };
        let inner: String =
            self.text[start + '《'.len_utf8()..end - '》'.len_utf8()].chars().filter(|c| !c.is_whitespace()).collect();
        let (plain, year) = without_suffix(&inner);
        let law = [inner.as_str(), plain].into_iter().find_map(|name| self.known(name));
        match law {
            Some(law) => {
                self.name(start..end, law, true);
                if let (Some(year), Some((_, _, known))) = (year, &mut self.law) {
                    known.get_or_insert(year);
                }
                if let (Some(year), Some(mention)) = (year, self.mentions.last_mut()) {
                    mention.year.get_or_insert(year);
                }
            }
            None if is_law_name(plain) => self.name(start..end, Named::Other(plain.to_owned()), true),
            // The title of something else: what stands in it is not cited.
            None => self.done = end,
        }
    }

    fn known(&self, name: &str) -> Option<Named> {
        if let Some((_, law)) = self.aliases.iter().find(|(alias, _)| alias == name) {
            return Some(law.clone());
        }
        let short = name.strip_prefix("中华人民共和国").unwrap_or(name);
        let full = name.replace('(', "（").replace(')', "）");
        let law = self.base.law(name).or_else(|| self.base.law(short)).or_else(|| self.base.law(&full))?;
        let at = self.base.laws().iter().position(|other| std::ptr::eq(other, law))?;
        Some(Named::Law(at))
    }

    /// The name of a law on `span`, and the places behind it.
    fn name(&mut self, span: Span, law: Named, quoted: bool) {
        let mut cursor = Cursor::new(self.text, span.end);
        let mut year = year_before(self.text, span.start);
        self.behind_name(&mut cursor, &law, &mut year);
        let historical = is_former(self.text, span.start);
        let joined = self.joined(span.start);
        let found = places(&mut cursor, true);
        let before = &self.text[..span.start];
        let formal = quoted
            || ["根据", "依据", "依照", "按照", "按", "依", "违反", "适用", "据"].iter().any(|w| before.ends_with(w));
        let name = match &law {
            Named::Law(at) => self.base.laws()[*at].name.clone(),
            Named::Other(name) => name.clone(),
        };
        if found.is_empty() {
            self.done = span.end;
            // A text the base does not know is of interest only when an article of it is cited.
            if matches!(law, Named::Law(_)) {
                let group = self.next_group(false);
                let law = law.clone();
                self.mentions.push(Mention {
                    span,
                    law,
                    place: None,
                    group,
                    historical,
                    year,
                    formal,
                    inferred: false,
                });
            }
        } else {
            let group = self.next_group(joined);
            self.done = cursor.at;
            self.push(found, Some(span.start), &law, group, historical, year, formal);
        }
        self.named.push((law.clone(), name));
        self.law = Some((law, historical, year));
    }

    /// What may stand between the name of a law and a place: （2013修正）, （以下简称《消法》）, 的, 合同编, 第二章 ….
    fn behind_name(&mut self, cursor: &mut Cursor<'_>, law: &Named, year: &mut Option<i16>) {
        for _ in 0..5 {
            cursor.skip_blank();
            let rest = &self.text[cursor.at..];
            if rest.starts_with(['（', '(']) {
                let Some(end) = rest.char_indices().take(60).find(|(_, c)| matches!(c, '）' | ')')) else { return };
                let inner = &rest[rest.chars().next().map_or(0, char::len_utf8)..end.0];
                if inner.contains(['第', '。', '\n']) || inner.contains("条") {
                    return;
                }
                if let Some(alias) = alias_of(inner) {
                    self.aliases.push((alias.to_owned(), law.clone()));
                }
                *year = year.or(year_in(inner));
                cursor.at += end.0 + end.1.len_utf8();
            } else if cursor.eat_word(&["的", "中", "里", "之", "关于"]).is_none() && !skip_division(cursor, self.text)
            {
                return;
            }
        }
    }

    /// 第N条 without a name before it: of the law named before, where the sentence leaves no doubt.
    fn ordinal(&mut self, start: usize) {
        let Some((law, historical, year)) = self.law.clone() else { return self.bare_name(start) };
        let gap_start = self.done.max(start.saturating_sub(REACH + 3));
        if start - self.done > REACH || !self.text.is_char_boundary(gap_start) {
            return self.bare_name(start);
        }
        let gap = &self.text[self.done..start];
        if gap.contains(['。', '！', '？', '\n', '!', '?']) || FOREIGN.iter().any(|word| gap.contains(word)) {
            return self.bare_name(start);
        }
        let mut cursor = Cursor::new(self.text, start);
        let found = places(&mut cursor, false);
        if found.is_empty() {
            return;
        }
        let before = gap.trim_end_matches([' ', '\u{3000}']);
        let introduced = before.is_empty() || INTRODUCES.iter().chain(&TODAY).any(|word| before.ends_with(word));
        if !introduced {
            return self.bare_name(start);
        }
        // 现行第五十五条 after a former wording was named.
        let today = TODAY.iter().any(|word| before.ends_with(word));
        let (historical, year) = if today { (false, None) } else { (historical, year) };
        let joined = self.joined(start);
        let group = self.next_group(joined);
        self.done = cursor.at;
        self.push(found, None, &law, group, historical, year, true);
    }

    /// 食品安全法第N条: a law that the base does not know, without 《》. Only names that leave no doubt where they begin.
    fn bare_name(&mut self, start: usize) {
        let before = &self.text[..start];
        let tail = before.trim_end_matches([' ', '\u{3000}']);
        let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
        let length: usize = tail.chars().rev().take_while(han).take(24).map(char::len_utf8).sum();
        let run = &tail[tail.len() - length..];
        let begin = TRIGGERS.iter().filter_map(|word| run.rfind(word).map(|at| at + word.len())).max().unwrap_or(0);
        let name = &run[begin..];
        let letters = name.chars().count();
        let whole = begin > 0 || letters < 24;
        let act = name.ends_with('法') && !NO_ACT.iter().any(|word| name.ends_with(word));
        let like =
            (act || (name.ends_with("条例") && !name.ends_with("本条例"))) && (4..=22).contains(&letters) && whole;
        let odd =
            ["本", "该", "同", "此", "其", "公司", "本店", "店铺", "平台"].iter().any(|word| name.starts_with(word));
        if !like || odd || name.contains(['的', '了', '是', '在', '和', '与']) {
            return;
        }
        let span = tail.len() - name.len()..tail.len();
        if span.start >= self.done {
            self.name(span, Named::Other(name.to_owned()), false);
        }
    }

    fn pointer(&mut self, range: Range<usize>, ends: &[&str]) {
        let alias = self.text[range.clone()].trim_start_matches('《').trim_end_matches('》').to_owned();
        let aliased = self.aliases.iter().find(|(name, _)| *name == alias).map(|(_, law)| law.clone());
        let fits = |(_, name): &&(Named, String)| ends.iter().any(|end| name.ends_with(end));
        let Some(law) = aliased.or_else(|| self.named.iter().rev().find(fits).map(|(law, _)| law.clone())) else {
            return;
        };
        let mut cursor = Cursor::new(self.text, range.end);
        cursor.skip_blank();
        cursor.eat_word(&["的", "中"]);
        let found = places(&mut cursor, true);
        if found.is_empty() {
            return;
        }
        let (historical, year) = match &self.law {
            Some((last, historical, year)) if *last == law => (*historical, *year),
            _ => (false, None),
        };
        let joined = self.joined(range.start);
        let group = self.next_group(joined);
        self.done = cursor.at;
        self.push(found, Some(range.start), &law, group, historical, year, true);
        self.law = Some((law, historical, year));
    }

    fn same_article(&mut self, range: Range<usize>) {
        let (Some(last), Some((law, historical, year))) = (self.last.clone(), self.law.clone()) else { return };
        let mut cursor = Cursor::new(self.text, range.end);
        let found = parts_of(&mut cursor, last.article);
        if !found.is_empty() && self.same_paragraph(range.start) {
            let joined = self.joined(range.start);
            let group = self.next_group(joined);
            self.done = cursor.at;
            self.push(found, Some(range.start), &law, group, historical, year, true);
            self.infer_last();
        }
    }

    fn previous(&mut self, range: Range<usize>, paragraph: bool) {
        let (Some(last), Some((law, historical, year))) = (self.last.clone(), self.law.clone()) else { return };
        if !self.same_paragraph(range.start) {
            return;
        }
        let mut place = Place { span: range.clone(), until: None, item: None, ..last };
        if paragraph {
            let Some(number) = place.paragraph else { return };
            place.paragraph = Some(number.saturating_sub(1).max(1));
        } else if place.article.number > 1 {
            place.article = Article { number: place.article.number - 1, branch: 0 };
            place.paragraph = None;
        } else {
            return;
        }
        let before = self.last.clone();
        let group = self.next_group(false);
        self.done = range.end;
        self.push(vec![place], Some(range.start), &law, group, historical, year, true);
        self.infer_last();
        self.last = before;
    }

    fn infer_last(&mut self) {
        if let Some(mention) = self.mentions.last_mut() {
            mention.inferred = true;
        }
    }

    fn same_paragraph(&self, at: usize) -> bool {
        at - self.done < SENTENCE && !self.text[self.done..at].contains('\n')
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a mention, put together in one place")]
    fn push(
        &mut self,
        found: Vec<Place>,
        start: Option<usize>,
        law: &Named,
        group: usize,
        historical: bool,
        year: Option<i16>,
        formal: bool,
    ) {
        for (at, place) in found.into_iter().enumerate() {
            let from = start.filter(|_| at == 0).unwrap_or(place.span.start);
            let span = from..place.span.end;
            self.last = Some(place.clone());
            let (law, place) = (law.clone(), Some(place));
            self.mentions.push(Mention { span, law, place, group, historical, year, formal, inferred: false });
        }
    }

    /// Whether only 、 or 和 stands between the last citation and byte `at`.
    fn joined(&self, at: usize) -> bool {
        let gap = self.text.get(self.done..at).unwrap_or_default().trim();
        let gap = gap.trim_start_matches("规定").trim_start_matches("的");
        self.last.is_some() && gap.len() < 24 && (gap.is_empty() || JOINTS.contains(&gap))
    }

    fn next_group(&mut self, joined: bool) -> usize {
        if !joined {
            self.group += 1;
        }
        self.group
    }
}

const JOINTS: [&str; 22] = [
    "、",
    "和",
    "及",
    "与",
    "或",
    "以及",
    "，",
    ",",
    "；",
    "以及原",
    "和原",
    "、原",
    "并",
    "或者",
    "，以及",
    "、《",
    "结合",
    "，结合",
    "并结合",
    "还有",
    "/",
    "，并",
];
/// What stands before 第N条 of the law named earlier in the sentence.
const INTRODUCES: [&str; 31] = [
    "、", "，", ",", "；", "和", "及", "与", "或", "（", "(", "根据", "依据", "依照", "按照", "按", "依", "据", "违反",
    "适用", "见", "在", "其", "参照", "结合", "以及", "的", "同时", "即", "而", "：", "但",
];
/// What stands before 第N条 of the wording in force.
const TODAY: [&str; 5] = ["现行", "现为", "现在的", "新法", "如今的"];
/// Words between a law and 第N条 that say that another text is meant.
const FOREIGN: [&str; 14] = [
    "合同",
    "协议",
    "章程",
    "制度",
    "手册",
    "公约",
    "条款约定",
    "规则",
    "须知",
    "通知",
    "声明",
    "说明书",
    "条例",
    "办法",
];
/// What stands before the name of a law.
const TRIGGERS: [&str; 20] = [
    "根据",
    "依据",
    "依照",
    "按照",
    "违反",
    "适用",
    "参照",
    "结合",
    "以及",
    "触犯",
    "参见",
    "规定在",
    "按",
    "依",
    "和",
    "与",
    "及",
    "或",
    "即",
    "见",
];
/// Words that end in 法 and are no law.
const NO_ACT: [&str; 20] = [
    "办法", "方法", "做法", "说法", "用法", "看法", "想法", "无法", "执法", "司法", "依法", "违法", "合法", "立法",
    "守法", "非法", "本法", "该法", "同法", "书法",
];

/// The end of the 《…》 that opens at `start`, nested ones within it.
fn closing(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text[start..].char_indices() {
        match c {
            '《' => depth += 1,
            '》' => depth -= 1,
            '\n' => return None,
            _ if at > LONGEST_TITLE => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(start + at + c.len_utf8());
        }
    }
    None
}

/// A title without （2013修正） at its end, and the year in it.
fn without_suffix(title: &str) -> (&str, Option<i16>) {
    let Some(open) = title.rfind(['（', '(']).filter(|_| title.ends_with(['）', ')'])) else { return (title, None) };
    let inner = &title[open..];
    let edition = ["修正", "修订", "年", "试行", "暂行"].iter().any(|word| inner.contains(word));
    if edition { (&title[..open], year_in(inner)) } else { (title, None) }
}

/// Whether a title in 《》 is that of a law, regulation, rule or interpretation.
fn is_law_name(title: &str) -> bool {
    let ends = ["法", "法典", "条例", "规定", "办法", "细则", "解释", "决定", "规则", "批复", "通则"];
    let plain = title.split(['（', '(']).next().unwrap_or(title);
    let no = ["方法", "做法", "用法", "书法", "算法", "兵法", "魔法", "疗法", "打法", "玩法"];
    ends.iter().any(|end| plain.ends_with(end))
        && !no.iter().any(|end| plain.ends_with(end))
        && plain.chars().count() >= 3
}

/// 消法 in 以下简称“消法”.
fn alias_of(inner: &str) -> Option<&str> {
    let at =
        inner.find("简称").map(|at| at + "简称".len()).or_else(|| inner.find("下称").map(|at| at + "下称".len()))?;
    let quotes = ['"', '“', '”', '「', '」', '《', '》', '\'', '‘', '’', ':', '：', '为', ' '];
    Some(inner[at..].trim_matches(quotes)).filter(|alias| (2..=20).contains(&alias.chars().count()))
}

fn year_in(text: &str) -> Option<i16> {
    let digits: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).collect();
    let run = digits.windows(4).find(|run| run[3].0 - run[0].0 == 3)?;
    let year: i16 = run.iter().map(|(_, c)| *c).collect::<String>().parse().ok()?;
    (1949..=2100).contains(&year).then_some(year)
}

/// 2012 in 2012年版《治安管理处罚法》.
fn year_before(text: &str, at: usize) -> Option<i16> {
    let before = text[..at].trim_end_matches([' ', '的', '《']);
    let before = ["年版", "年修正", "年修订", "年修正版", "年修订版", "版", "修正版", "修订版"]
        .iter()
        .find_map(|end| before.strip_suffix(end))?;
    let before = before.trim_end_matches('年');
    let length = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    if length == 4 { year_in(&before[before.len() - 4..]) } else { None }
}

/// Passes over 合同编, 总则, 第二章消费者的权利 between a law and a place of it.
fn skip_division(cursor: &mut Cursor<'_>, text: &str) -> bool {
    let start = cursor.at;
    let word = cursor.eat_word(&[
        "总则编",
        "物权编",
        "合同编",
        "人格权编",
        "婚姻家庭编",
        "继承编",
        "侵权责任编",
        "通则",
        "分则",
        "总则",
        "附则",
    ]);
    if word.is_some() {
        return true;
    }
    if cursor.eat(&['第']).is_some() {
        cursor.skip_blank();
        if cursor.number().is_some() && cursor.eat_word(&["编", "分编", "章", "节"]).is_some() {
            let rest = &text[cursor.at..];
            let mut title =
                rest.char_indices().take(16).take_while(|(_, c)| *c == ' ' || ('\u{4e00}'..='\u{9fff}').contains(c));
            cursor.at += title.find(|(_, c)| *c == '第').map_or(0, |(at, _)| at);
            return true;
        }
    }
    cursor.at = start;
    false
}

/// Whether the words before a name say that it is former law.
fn is_former(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '《', '“', '"']);
    let short = before.strip_suffix("中华人民共和国").unwrap_or(before);
    let words = [
        "原",
        "旧",
        "老",
        "当时的",
        "当时有效的",
        "当时施行的",
        "当时适用的",
        "彼时的",
        "已废止的",
        "已经废止的",
        "已失效的",
        "被废止的",
        "废止前的",
        "修订前的",
        "修订前",
        "修正前的",
        "修正前",
        "修改前的",
        "修改前",
        "原来的",
        "过去的",
        "以前的",
        "旧版",
        "老版",
        "原有的",
        "取代了",
        "替代了",
        "取代",
        "废止了",
    ];
    words.iter().any(|word| short.ends_with(word))
}

/// The sentence around `span`: from the mark before it to the mark behind it, at most 1,500 bytes on either side.
pub(super) fn sentence(text: &str, span: &Span) -> Span {
    let floor = boundary(text, span.start.saturating_sub(SENTENCE));
    let ceiling = boundary(text, (span.end + SENTENCE).min(text.len()));
    let marks = ['。', '！', '？', '；', '\n', '!', '?', ';'];
    let start = text[floor..span.start].rfind(marks).map_or(floor, |at| {
        let mark = text[floor + at..].chars().next().map_or(1, char::len_utf8);
        floor + at + mark
    });
    let end = text[span.end..ceiling].find(marks).map_or(ceiling, |at| span.end + at);
    start..end
}

/// The character boundary at or before byte `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether the sentence `span` speaks of the law as repealed, or of facts of a year in `years`.
pub(super) fn is_about_the_past(text: &str, span: &Span, years: Range<i16>) -> bool {
    let words = [
        "废止",
        "失效",
        "取代",
        "替代",
        "不再适用",
        "同时废",
        "被吸收",
        "并入",
        "纳入民法典",
        "已被",
        "已经被",
        "改为",
        "现为",
        "对应",
        "旧法",
    ];
    let sentence = &text[span.clone()];
    if words.iter().any(|word| sentence.contains(word)) {
        return true;
    }
    let mut rest = sentence;
    while let Some(at) = rest.find('年') {
        let digits = rest[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
        if digits == 4 && year_in(&rest[at - 4..at]).is_some_and(|year| years.contains(&year)) {
            return true;
        }
        rest = &rest[at + '年'.len_utf8()..];
    }
    false
}
