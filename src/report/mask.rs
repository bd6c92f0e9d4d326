//! Personal data in reports: long numbers and mail addresses are masked.

/// Masks the middle of every run of seven or more digits (phone, identity card, bank card and order numbers) and the
/// name part of mail addresses. Everything else stays as it is.
///
/// ```
/// use zhijian::report::mask::mask;
/// assert_eq!(mask("打13800001234，发li.si@example.com"), "打138******34，发l***@example.com");
/// assert_eq!(mask("3天内退18.5元"), "3天内退18.5元");
/// ```
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    while at < chars.len() {
        let digits = chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        let name = chars[at..].iter().take_while(|c| local(**c)).count();
        let starts_word = at == 0 || !local(chars[at - 1]);
        let mail = starts_word
            && name > 0
            && chars.get(at + name) == Some(&'@')
            && chars.get(at + name + 1).is_some_and(char::is_ascii_alphanumeric);
        if mail {
            out.push(chars[at]);
            out.push_str("***");
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
    }
    out
}
