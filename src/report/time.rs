//! Times as exports write them → civil times.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};

use crate::input::date::parse_date;

/// Reads `2025-6-9 9:05:07`, `2025/06/09T09:05`, `2025年6月9日 9时5分`, a day alone (midnight), and epoch seconds, milliseconds
/// or microseconds (taken as China time). `None` for anything else.
///
/// ```
/// use zhijian::report::time::parse_time;
/// assert_eq!(parse_time("2025-6-9 9:05:07").unwrap().to_string(), "2025-06-09T09:05:07");
/// assert_eq!(parse_time("1749430800000").unwrap().to_string(), "2025-06-09T09:00:00");
/// assert_eq!(parse_time("昨天 9:05"), None);
/// ```
pub fn parse_time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let date = parse_date(text)?;
    if text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits(text, date);
    }
    // The clock stands behind the third group of digits.
    let mut groups = 0;
    let mut inside = false;
    let clock = text.find(|c: char| {
        if c.is_ascii_digit() {
            groups += usize::from(!inside);
            inside = true;
            false
        } else {
            inside = false;
            groups == 3
        }
    });
    let mut numbers = [0i8; 3];
    let parts = clock.map_or("", |at| &text[at..]).split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().ok()?;
    }
    Some(date.to_datetime(Time::new(numbers[0], numbers[1], numbers[2], 0).ok()?))
}

fn digits(text: &str, date: jiff::civil::Date) -> Option<DateTime> {
    let number: i64 = text.parse().ok()?;
    let china = jiff::tz::offset(8);
    let timestamp = match text.len() {
        10 => Timestamp::from_second(number),
        13 => Timestamp::from_millisecond(number),
        16 => Timestamp::from_microsecond(number),
        14 => {
            let part = |range: std::ops::Range<usize>| text[range].parse().ok();
            return Some(date.to_datetime(Time::new(part(8..10)?, part(10..12)?, part(12..14)?, 0).ok()?));
        }
        _ => return Some(date.to_datetime(Time::midnight())),
    };
    let time = china.to_datetime(timestamp.ok()?);
    DateTime::new(time.year(), time.month(), time.day(), time.hour(), time.minute(), time.second(), 0).ok()
}
