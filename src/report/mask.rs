//! Personal data in reports. A mask hides one character with one `*`, so that places in a text stay what they were.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The commonest family names (公安部 2021 年全国姓名报告 and the 百家姓), without those that are everyday words.
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏\
薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚庞樊兰殷施陶洪翟颜倪\
严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦柳邢岳齐梅莫庄辛管祝左涂谷祁舒耿牟卜詹苗凌费纪靳盛童欧甄项曲游裴席卫屈鲍覃霍翁隋甘景柏柯阮桂闵柴";

/// The first characters of number plates, one a province.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

/// What is hidden: the pattern and which part of a match to hide.
struct Hidden {
    pattern: Regex,
    part: fn(&Captures<'_>, &mut Vec<Range<usize>>),
}

static HIDDEN: LazyLock<Vec<Hidden>> = LazyLock::new(|| {
    let hidden = |pattern: &str, part| Hidden { pattern: Regex::new(pattern).expect("the patterns are tested"), part };
    // What may stand before a place and is no part of its name.
    let toward = "(?:[我您你他她]?(?:[送寄发搬]到|[送寄]至|住在?))?";
    let numeral = "[0-9０-９A-Za-z一二三四五六七八九十百零]";
    vec![
        hidden(r"([A-Za-z0-9._%+-]+)[@＠][A-Za-z0-9-]+(?:[.．][A-Za-z0-9-]+)+", |found, spans| {
            hide(found, 1, 1, 0, spans)
        }),
        hidden(r"[+＋]?[0-9０-９](?:[ -]?[0-9０-９]){6,}[Xx]?", number),
        hidden(
            &format!("[{PROVINCES}][A-HJ-NP-Z][·•・ -]?([A-HJ-NP-Z0-9]{{4,6}}[挂学警港澳]?)"),
            |found, spans| {
                let plate = found.get(1).expect("the group takes part in every match").as_str();
                let length = plate.chars().count();
                if (5..=6).contains(&length) && plate.bytes().any(|byte| byte.is_ascii_digit()) {
                    hide(found, 1, 0, 0, spans);
                }
            },
        ),
        hidden(
            r"(?:单号|订单|账号|帐号|卡号|会员号|流水号|工号牌|验证码|密码|尾号)[号码]?(?:[是为]|[:：\s])*([A-Za-z0-9_-]{4,})",
            |found, spans| hide(found, 1, 0, 2, spans),
        ),
        hidden(
            &format!(
                r"(?:我叫|我名叫|我的名字[是叫]|[收联持][货件系卡]人|户主|姓名)(?:是|叫|为|[:：\s])*((?:欧阳|司马|上官|诸葛|司徒|东方|夏侯|皇甫|尉迟|公孙|慕容|令狐|[{SURNAMES}])\p{{Han}}{{1,2}})"
            ),
            |found, spans| hide(found, 1, 1, 0, spans),
        ),
        hidden(
            r"(?:[收联持][货件系卡]人|户主|姓名)(?:姓名|名字)?[:：]\s*([\p{Han}·]{2,6}|[A-Za-z][A-Za-z .]{1,30})",
            |found, spans| {
                hide(found, 1, 1, 0, spans);
            },
        ),
        hidden(
            &format!(r"{toward}(\p{{Han}}{{1,3}})(?:大道|大街|路|街|巷|弄|胡同)({numeral}+)(?:号|弄|支)"),
            |found, spans| {
                hide(found, 1, 0, 0, spans);
                hide(found, 2, 0, 0, spans);
            },
        ),
        hidden(
            &format!(
                r"{toward}(\p{{Han}}{{1,4}})(?:小区|花园|新村|公寓|家园|苑|大厦|广场|村)({numeral}+)(?:号楼|栋|幢|座|单元|室|号|组)"
            ),
            |found, spans| {
                hide(found, 1, 0, 0, spans);
                hide(found, 2, 0, 0, spans);
            },
        ),
        hidden(
            &format!("(?:{numeral}+(?:号楼|单元|栋|幢|座|室|楼|层|号)){{2,}}(?:{numeral}{{2,5}})?"),
            |found, spans| {
                let whole = found.get(0).expect("group 0 is the match");
                // 1号2号 are days of the month; a house has a building, a floor or a room.
                if whole.as_str().contains(['栋', '幢', '座', '元', '室', '楼', '层']) {
                    let numbers = whole.as_str().char_indices().filter(|(_, c)| !"号楼单元栋幢座室层".contains(*c));
                    spans.extend(numbers.map(|(at, c)| whole.start() + at..whole.start() + at + c.len_utf8()));
                }
            },
        ),
    ]
});

/// Hides group `group` but for the first `head` and the last `tail` characters.
fn hide(found: &Captures<'_>, group: usize, head: usize, tail: usize, spans: &mut Vec<Range<usize>>) {
    let part = found.get(group).expect("the group takes part in every match");
    spans.extend(middle(part.as_str(), head, tail).map(|range| part.start() + range.start..part.start() + range.end));
}

/// The bytes of `text` between its first `head` and its last `tail` characters.
fn middle(text: &str, head: usize, tail: usize) -> Option<Range<usize>> {
    let start = text.char_indices().nth(head)?.0;
    let end = if tail == 0 { text.len() } else { text.char_indices().nth_back(tail - 1)?.0 };
    (start < end).then_some(start..end)
}

/// A run of digits, perhaps in groups: phone, identity card and bank card numbers are hidden however they are grouped,
/// other numbers (orders, accounts) where seven or more digits stand together; 2026-09-18 stays.
fn number(found: &Captures<'_>, spans: &mut Vec<Range<usize>>) {
    let run = found.get(0).expect("group 0 is the match");
    let groups: Vec<Range<usize>> = groups(run.as_str());
    let mut first = 0;
    while first < groups.len() {
        // The longest sequence of groups that is a number of a known kind; a bank card has at most five groups.
        let known = (first..groups.len().min(first + 6)).rev().find(|last| {
            let text: String = run.as_str()[groups[first].start..groups[*last].end].chars().filter_map(digit).collect();
            is_phone(&text) || is_identity_card(&text) || is_bank_card(&text)
        });
        let last = known.unwrap_or(first);
        let range = groups[first].start..groups[last].end;
        let text = &run.as_str()[range.clone()];
        if known.is_some() || text.chars().count() >= 7 {
            let hidden = middle(text, 3, 2).into_iter();
            spans.extend(hidden.map(|h| run.start() + range.start + h.start..run.start() + range.start + h.end));
        }
        first = last + 1;
    }
}

fn groups(run: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, c) in run.char_indices().filter(|(_, c)| digit(*c).is_some()) {
        match groups.last_mut() {
            Some(group) if group.end == at => group.end += c.len_utf8(),
            _ => groups.push(at..at + c.len_utf8()),
        }
    }
    groups
}

fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        'x' | 'X' => Some('X'),
        _ => None,
    }
}

/// A mobile number, with or without 86, or a landline with its area code.
fn is_phone(digits: &str) -> bool {
    let national = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")).unwrap_or(digits).as_bytes();
    let all = national.iter().all(u8::is_ascii_digit);
    let mobile = national.len() == 11 && national[0] == b'1' && (b'3'..=b'9').contains(&national[1]);
    let landline = (10..=12).contains(&national.len()) && national[0] == b'0' && national[1] != b'0';
    all && (mobile || landline)
}

/// Eighteen characters with a right check digit (GB 11643-1999).
fn is_identity_card(digits: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let bytes = digits.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = WEIGHTS.iter().zip(bytes).map(|(weight, byte)| weight * u32::from(byte - b'0')).sum();
    b"10X98765432"[(sum % 11) as usize] == bytes[17]
}

/// Twelve to nineteen digits with a right check digit (ISO/IEC 7812-1, Luhn), the first one of those that banks have.
fn is_bank_card(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let bank = matches!(bytes.first(), Some(b'3'..=b'6' | b'9'));
    if !bank || !(12..=19).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = (0..)
        .zip(bytes.iter().rev())
        .map(|(at, byte)| match u32::from(byte - b'0') * (1 + at % 2) {
            doubled @ 10.. => doubled - 9,
            other => other,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Hides phone, identity card, bank card and other long numbers, mail addresses, number plates, order numbers and codes
/// behind their label, names behind 我叫, 收货人 and the like, and the road, house and room of addresses. The result has as
/// many characters as `text`, so that code-point places stay right.
///
/// ```
/// use zhijian::report::mask::mask;
/// assert_eq!(mask("打13800001234，发li.si@example.com"), "打138******34，发l****@example.com");
/// assert_eq!(mask("我叫张小满，住张江路88号3栋1202室"), "我叫张**，住**路**号*栋****室");
/// assert_eq!(mask("3天内退18.5元"), "3天内退18.5元");
/// ```
pub fn mask(text: &str) -> Cow<'_, str> {
    mask_also(text, &[])
}

/// An agent's account: hidden where it is a mail address or the number of a phone, identity card or bank card. Staff
/// numbers stay, or agents could not be told apart.
pub fn mask_account(name: &str) -> Cow<'_, str> {
    let digits: String = name.chars().filter_map(digit).collect();
    let number = digits.len() == name.chars().count()
        && (is_phone(&digits) || is_identity_card(&digits) || is_bank_card(&digits));
    if number || name.contains(['@', '＠']) { mask(name) } else { Cow::Borrowed(name) }
}

/// Like [`mask`], and hides every occurrence of one of `words`.
pub fn mask_also<'t>(text: &'t str, words: &[&str]) -> Cow<'t, str> {
    let mut spans = Vec::new();
    for hidden in HIDDEN.iter() {
        for found in hidden.pattern.captures_iter(text) {
            (hidden.part)(&found, &mut spans);
        }
    }
    for word in words.iter().filter(|word| !word.is_empty()) {
        spans.extend(text.match_indices(word).map(|(at, word)| at..at + word.len()));
    }
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_by_key(|span| (span.start, span.end));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for span in spans {
        let start = span.start.max(at);
        if start < span.end {
            out.push_str(&text[at..start]);
            out.extend(text[start..span.end].chars().map(|_| '*'));
            at = span.end;
        }
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_hidden_and_nothing_else() {
        let cases = [
            ("电话 138-0000-1234 找我", "电话 138********34 找我"),
            ("１３８００００１２３４", "１３８******３４"),
            ("+8613800001234", "+861********34"),
            ("010-12345678", "010*******78"),
            // The check digit of the first is right; the second is a long number all the same.
            ("身份证11010519491231002X", "身份证110*************2X"),
            // All its digits together have a right check digit, too, but no card begins with 0.
            ("固话 010-62345678 2026-09-18 来电", "固话 010*******78 2026-09-18 来电"),
            ("卡6222 0212 3456 7890 128", "卡622******************28"),
            ("9:05 发到 zhang_3@mail.example.cn。", "9:05 发到 z******@mail.example.cn。"),
            ("车牌沪A·12345，新能源粤BD12345", "车牌沪A·*****，新能源粤B******"),
            ("订单号：JD88-21", "订单号：*****21"),
            ("验证码是 4821", "验证码是 **21"),
            ("我叫欧阳小林", "我叫欧***"),
            ("收货人：阿依古丽，收货人不在家", "收货人：阿***，收货人不在家"),
            ("送到幸福小区5栋2单元301室", "送到**小区*栋*单元***室"),
            (
                "我叫你快点，1号2号都行，2026-09-18 09:30:12 下的单",
                "我叫你快点，1号2号都行，2026-09-18 09:30:12 下的单",
            ),
            ("七天无理由，运费18.5元，满199减30", "七天无理由，运费18.5元，满199减30"),
        ];
        for (text, masked) in cases {
            let result = mask(text);
            assert_eq!(result.chars().count(), text.chars().count(), "{text}");
            assert_eq!(result, masked, "{text}");
        }
        assert_eq!(mask_also("会话已转接至 小满", &["小满"]), "会话已转接至 **");
    }

    #[test]
    fn check_digits_are_checked() {
        assert!(is_identity_card("11010519491231002X") && !is_identity_card("110105194912310021"));
        assert!(is_bank_card("6222021234567890128") == luhn_by_hand("6222021234567890128"));
        assert!(is_bank_card("4111111111111111") && !is_bank_card("4111111111111112"));
        assert!(is_phone("8613800001234") && !is_phone("12800001234"));
    }

    fn luhn_by_hand(digits: &str) -> bool {
        let mut sum = 0;
        for (at, c) in digits.chars().rev().enumerate() {
            let n = c.to_digit(10).expect("digits");
            let n = if at % 2 == 1 { n * 2 } else { n };
            sum += n / 10 + n % 10;
        }
        sum.is_multiple_of(10)
    }
}
