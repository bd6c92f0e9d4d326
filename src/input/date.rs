//! Times as exports write them.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

/// The day in a time: `2025-6-9 9:05:07`, `2025/06/09`, `2025年6月9日`, `20250609`, ISO 8601, or epoch seconds, milliseconds
/// or microseconds (taken as China time). `None` for anything else.
///
/// ```
/// use zhijian::input::date::parse_date;
/// assert_eq!(parse_date("2025-6-9 9:05:07").unwrap().to_string(), "2025-06-09");
/// assert_eq!(parse_date("1749430800000").unwrap().to_string(), "2025-06-09");
/// assert_eq!(parse_date("昨天"), None);
/// ```
pub fn parse_date(text: &str) -> Option<Date> {
    parse(text.trim()).map(|(moment, _)| moment.date())
}

/// The moment that starts `text`, China time, and what follows it. A day alone is its first second.
///
/// ```
/// use zhijian::input::date::parse;
/// let (moment, rest) = parse("2025-6-9 9:05:07 张三: 你好").unwrap();
/// assert_eq!((moment.to_string().as_str(), rest), ("2025-06-09T09:05:07", " 张三: 你好"));
/// assert_eq!(parse("2026-09-18T01:00:00Z").unwrap().0.to_string(), "2026-09-18T09:00:00");
/// ```
pub fn parse(text: &str) -> Option<(DateTime, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits >= 8 {
        // The fraction of epoch seconds says nothing a minute later.
        let rest = &text[digits..];
        let fraction = rest.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
        let (day, rest) = (from_digits(&text[..digits])?, &rest[fraction..]);
        return Some(if digits == 8 { with_time(day.date(), rest) } else { (day, rest) });
    }
    let (year, rest) = number(text, 4)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.' | '年'))?;
    let (month, rest) = number(&rest[separator.len_utf8()..], 2)?;
    let (day, rest) = number(rest.strip_prefix(if separator == '年' { '月' } else { separator })?, 2)?;
    let rest = rest.strip_prefix('日').unwrap_or(rest);
    if year < 1000 {
        return None;
    }
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(with_time(date, rest))
}

/// The time of day that starts `text` as `9:05`, `09:05:07` or `21:05:07.123`, and what follows it.
pub fn parse_time(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = number(text, 2)?;
    let (minute, mut rest) = number(rest.strip_prefix([':', '：', '时'])?, 2)?;
    let mut second = 0;
    if let Some((number, after)) = rest.strip_prefix([':', '：', '分']).and_then(|rest| number(rest, 2)) {
        second = number;
        rest = after.strip_prefix('秒').unwrap_or(after);
        let fraction =
            rest.strip_prefix(['.', ',']).map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        if fraction > 0 {
            rest = &rest[1 + fraction..];
        }
    }
    let part = |number: u32| i8::try_from(number).ok();
    Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok().map(|time| (time, rest))
}

fn with_time(date: Date, rest: &str) -> (DateTime, &str) {
    let start = rest.strip_prefix(['T', ' ', '\t', '\u{a0}', '　']).map_or(rest, |rest| rest.trim_start_matches(' '));
    let Some((time, rest)) = parse_time(start) else { return (date.to_datetime(Time::midnight()), rest) };
    let moment = date.to_datetime(time);
    // Minutes east of Greenwich, where the time says so.
    let (east, rest) = match rest.as_bytes().first() {
        Some(b'Z') => (Some(0), &rest[1..]),
        Some(sign @ (b'+' | b'-')) => match number(&rest[1..], 2) {
            Some((hours, after)) => {
                let after = after.strip_prefix(':').unwrap_or(after);
                let (minutes, after) = number(after, 2).unwrap_or((0, after));
                let east = i64::from(hours * 60 + minutes);
                (Some(if *sign == b'-' { -east } else { east }), after)
            }
            None => (None, rest),
        },
        _ => (None, rest),
    };
    let china = east.and_then(|east| moment.checked_add((480 - east).minutes()).ok());
    (china.unwrap_or(moment), rest)
}

/// The number of at most `digits` digits that starts `text`.
fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(digits).take_while(u8::is_ascii_digit).count();
    Some((text.get(..length)?.parse().ok()?, &text[length..]))
}

fn from_digits(digits: &str) -> Option<DateTime> {
    let number: i64 = digits.parse().ok()?;
    let china = jiff::tz::offset(8);
    let of = |timestamp: Result<Timestamp, jiff::Error>| Some(china.to_datetime(timestamp.ok()?));
    let part = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |part| part.parse::<i16>().ok());
    let small = |range| part(range).and_then(|number| i8::try_from(number).ok());
    match digits.len() {
        8 | 14 => {
            DateTime::new(part(0..4)?, small(4..6)?, small(6..8)?, small(8..10)?, small(10..12)?, small(12..14)?, 0)
                .ok()
        }
        10 => of(Timestamp::from_second(number)),
        13 => of(Timestamp::from_millisecond(number)),
        16 => of(Timestamp::from_microsecond(number)),
        19 => of(Timestamp::from_nanosecond(number.into())),
        _ => None,
    }
}

/// The time as `yyyy-MM-dd HH:mm:ss` where it is a moment in another form; as it is where it is none.
///
/// ```
/// use zhijian::input::date::standard;
/// assert_eq!(standard("2025-6-9 9:05:07"), "2025-06-09 09:05:07");
/// assert_eq!(standard("1749430800000"), "2025-06-09 09:00:00");
/// assert_eq!(standard("00:01:02,500"), "00:01:02,500");
/// ```
pub fn standard(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if is_standard(text.as_bytes()) || text.is_empty() {
        return Cow::Borrowed(text);
    }
    match parse(text) {
        Some((moment, rest)) if rest.trim().is_empty() => Cow::Owned(moment.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        _ => Cow::Borrowed(text),
    }
}

fn is_standard(text: &[u8]) -> bool {
    matches!(text, [a, _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', _, _, b':', _, _] if a.is_ascii_digit())
}

/// Whether `a` is not after `b`, told without reading them; `false` where that does not tell.
pub(super) fn plainly_before(a: &str, b: &str) -> bool {
    b.is_empty() || (is_standard(a.as_bytes()) && is_standard(b.as_bytes()) && a <= b)
}

/// A number that grows with time: milliseconds of a moment, or an offset from the start of a call as it is.
pub(super) fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some((moment, rest)) = parse(text) {
        let milliseconds = jiff::tz::offset(0).to_timestamp(moment).ok()?.as_millisecond();
        return rest.trim().is_empty().then_some(milliseconds);
    }
    let offset: f64 = text.parse().ok()?;
    // Offsets in seconds have fractions; to the microsecond that is exact for any call.
    (offset.is_finite() && offset.abs() < 1e12).then_some((offset * 1e6) as i64)
}

/// A day number of a spreadsheet: days since 1899-12-30, the fraction is the time.
pub(super) fn from_serial(serial: f64) -> Option<String> {
    // 1982 to 2119: other numbers are no days of a chat.
    if !(30_000.0..80_000.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * 86_400.0).round() as i64;
    let moment = DateTime::constant(1899, 12, 30, 0, 0, 0, 0).checked_add(seconds.seconds()).ok()?;
    Some(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_every_form() {
        for (text, expected) in [
            ("2025-6-9 9:05:07", "2025-06-09 09:05:07"),
            ("2025/06/09 09:05", "2025-06-09 09:05:00"),
            ("2025年6月9日 9时5分7秒", "2025-06-09 09:05:07"),
            ("20250609090507", "2025-06-09 09:05:07"),
            ("2025-06-09T01:05:07.250Z", "2025-06-09 09:05:07"),
            ("2025-06-09T09:05:07+08:00", "2025-06-09 09:05:07"),
            ("1749430800", "2025-06-09 09:00:00"),
            ("1749430800.5", "2025-06-09 09:00:00"),
            ("2025-06-09", "2025-06-09 00:00:00"),
            ("2025-13-09", "2025-13-09"),
            ("昨天 09:05", "昨天 09:05"),
            ("12500", "12500"),
        ] {
            assert_eq!(standard(text), expected);
        }
        assert_eq!(from_serial(45_917.375).as_deref(), Some("2025-09-17 09:00:00"));
        assert_eq!(from_serial(7.0), None);
    }

    #[test]
    fn moments_are_ordered() {
        assert!(moment("2025-10-6 9:05:07") > moment("2025-6-10 9:05:07"));
        assert!(moment("12.5") < moment("12.75"));
        assert_eq!(moment("刚才"), None);
    }
}
