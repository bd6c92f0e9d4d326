//! SubRip and WebVTT: recognised calls with the speaker before the text.

use std::io::BufRead;

use crate::error::InputError;
use crate::input::chat::Lines;
use crate::input::export::{About, Export, LONGEST_TEXT, Row};
use crate::input::{InputOptions, Source};
use crate::model::{Channel, SpeakerRole};

/// Reads one file as one call.
///
/// # Errors
/// When the input breaks off.
pub fn read(
    source: &Source<'_>,
    mut reader: impl BufRead,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    let mut lines = Lines::new();
    let mut cue: Option<(String, String, u64)> = None;
    loop {
        let next = lines.read(&mut reader, source, export);
        let (number, line) = match next {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err(source.broken(&error, lines.next - 1, export)),
        };
        let line = line.trim();
        if let Some((start, _)) = line.split_once("-->").filter(|(start, _)| is_offset(start.trim())) {
            if let Some(cue) = cue.take() {
                add(cue, source, options, export);
            }
            cue = Some((start.trim().to_owned(), String::new(), number));
            continue;
        }
        let head = cue.is_none() || line.bytes().all(|byte| byte.is_ascii_digit());
        if let Some((_, text, _)) = cue.as_mut().filter(|_| !head)
            && text.len() <= LONGEST_TEXT
        {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
    }
    if let Some(cue) = cue {
        add(cue, source, options, export);
    }
    Ok(())
}

/// `00:00:21,290` or `01:02.500`
pub(super) fn is_offset(text: &str) -> bool {
    text.contains(':') && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b',' | b'.'))
}

/// The speaker and what is said: `<v 客服>您好`, `[客服] 您好`, `客服：您好`.
fn speaker(text: &str) -> (&str, &str) {
    if let Some((name, text)) = text.strip_prefix("<v ").and_then(|rest| rest.split_once('>')) {
        return (name, text.strip_suffix("</v>").unwrap_or(text));
    }
    if let Some((name, text)) = text.strip_prefix(['[', '【']).and_then(|rest| rest.split_once([']', '】'])) {
        return (name, text.trim_start_matches(['：', ':', ' ']));
    }
    match text.split_once(['：', ':']) {
        Some((name, text)) if name.chars().count() <= 8 => (name, text.trim_start()),
        _ => ("-", text),
    }
}

fn add((time, text, line): (String, String, u64), source: &Source<'_>, options: &InputOptions, export: &mut Export) {
    let (mut name, mut said) = speaker(&text);
    let mut role = options.roles.name(name);
    if role == SpeakerRole::Unknown {
        role = options.roles.speaker(name);
    }
    if role == SpeakerRole::Unknown && !text.starts_with(['<', '[', '【']) {
        // "时间：明天" is no speaker.
        (name, said) = ("-", &text);
        role = options.roles.speaker(name);
    }
    let about = || About { channel: Channel::Call, industry: options.industry.clone(), date: None };
    let agent = if role == SpeakerRole::Agent { name } else { "" };
    export.add(source.stem(), about, Row { role, word: name, kind: None, text: Ok(said), agent, time: &time, line });
}
