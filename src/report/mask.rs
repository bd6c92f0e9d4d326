//! Personal data in reports: long numbers and mail addresses are masked.

use crate::span::Span;

/// Masks the middle of every run of seven or more digits (phone, identity card, bank card and order numbers) and the
/// name part of mail addresses. Everything else stays as it is.
///
/// ```
/// use zhijian::report::mask::mask;
/// assert_eq!(mask("打13800001234，发li.si@example.com"), "打138******34，发l***@example.com");
/// assert_eq!(mask("3天内退18.5元"), "3天内退18.5元");
/// ```
pub fn mask(text: &str) -> String {
    mask_marked(text, 0..0).0
}

/// Masks `text` and says where the code points `mark` of it stand in the result. A number that the mark cuts is masked
/// whole, and the mark then takes it in.
///
/// ```
/// use zhijian::report::mask::mask_marked;
/// let (masked, mark) = mask_marked("发a.b@c.com，退不了", 11..14);
/// assert_eq!((masked.as_str(), mark), ("发a***@c.com，退不了", 12..15));
/// ```
pub fn mask_marked(text: &str, mark: Span) -> (String, Span) {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<char> = Vec::with_capacity(chars.len());
    let (mut start, mut end) = (None, None);
    let mut at = 0;
    let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    while at < chars.len() {
        let before = (at, out.len());
        let digits = chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        let name = chars[at..].iter().take_while(|c| local(**c)).count();
        let starts_word = at == 0 || !local(chars[at - 1]);
        let mail = starts_word
            && name > 0
            && chars.get(at + name) == Some(&'@')
            && chars.get(at + name + 1).is_some_and(char::is_ascii_alphanumeric);
        let masked = mail || digits >= 7;
        if mail {
            out.push(chars[at]);
            out.extend(['*'; 3]);
            at += name;
        } else if digits >= 7 {
            out.extend(&chars[at..at + 3]);
            out.extend(std::iter::repeat_n('*', digits - 5));
            out.extend(&chars[at + digits - 2..at + digits]);
            at += digits;
        } else {
            let step = digits.max(1);
            out.extend(&chars[at..at + step]);
            at += step;
        }
        if start.is_none() && mark.start < at {
            start = Some(if masked { before.1 } else { before.1 + mark.start - before.0 });
        }
        if end.is_none() && mark.end <= at {
            end = Some(if masked { out.len() } else { before.1 + mark.end.saturating_sub(before.0) });
        }
    }
    let length = out.len();
    let start = start.unwrap_or(length);
    (out.into_iter().collect(), start..end.unwrap_or(length).max(start))
}
