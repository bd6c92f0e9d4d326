//! The day in a time as exports write it.

use jiff::Timestamp;
use jiff::civil::Date;

/// Reads the day at the start of `text`: `2025-6-9 9:05:07`, `2025/06/09`, `2025年6月9日`, `20250609`, or epoch seconds,
/// milliseconds or microseconds (taken as China time). `None` for anything else.
///
/// ```
/// use zhijian::input::date::parse_date;
/// assert_eq!(parse_date("2025-6-9 9:05:07").unwrap().to_string(), "2025-06-09");
/// assert_eq!(parse_date("1749430800000").unwrap().to_string(), "2025-06-09");
/// assert_eq!(parse_date("昨天"), None);
/// ```
pub fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    let mut numbers = [0i64; 3];
    let mut rest = text;
    for (at, number) in numbers.iter_mut().enumerate() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        *number = rest.get(..digits)?.parse().ok()?;
        rest = &rest[digits..];
        if at == 0 && digits >= 8 {
            return from_digits(&text[..digits]);
        }
        if at < 2 {
            rest = rest.strip_prefix(['-', '/', '.', '年', '月'])?;
        }
    }
    let [year, month, day] = numbers;
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn from_digits(digits: &str) -> Option<Date> {
    let number: i64 = digits.parse().ok()?;
    let china = jiff::tz::offset(8);
    let of = |timestamp: Result<Timestamp, jiff::Error>| Some(china.to_datetime(timestamp.ok()?).date());
    match digits.len() {
        8 | 14 => {
            let part = |range: std::ops::Range<usize>| digits[range].parse().ok();
            Date::new(part(0..4)?, i8::try_from(part(4..6)?).ok()?, i8::try_from(part(6..8)?).ok()?).ok()
        }
        10 => of(Timestamp::from_second(number)),
        13 => of(Timestamp::from_millisecond(number)),
        16 => of(Timestamp::from_microsecond(number)),
        _ => None,
    }
}
