//! SubRip and WebVTT: recognised calls with the speaker before the text.

use std::io::BufRead;

use crate::error::InputError;
use crate::input::chat::Lines;
use crate::input::export::{About, Export, LONGEST_TEXT, Row};
use crate::input::{InputOptions, Source};
use crate::model::{Channel, SpeakerRole};

/// What is said from a moment on.
struct Cue {
    time: String,
    text: String,
    line: u64,
}

impl Cue {
    fn push(&mut self, line: &str) {
        // What is too long is counted as such; no need to keep more of it.
        if line.is_empty() || self.text.len() > LONGEST_TEXT {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
    }
}

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
    let mut cue: Option<Cue> = None;
    // Digits alone are the number of the next cue if one follows, and said if not.
    let mut digits = String::new();
    loop {
        let next = lines.read(&mut reader, source, export);
        let (number, line) = match next {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err(source.broken(&error, lines.next - 1, export)),
        };
        let line = line.trim();
        if let Some((start, _)) = line.split_once("-->").filter(|(start, _)| is_offset(start.trim())) {
            if let Some(cue) = cue.replace(Cue { time: start.trim().to_owned(), text: String::new(), line: number }) {
                add(&cue, source, options, export);
            }
            digits.clear();
            continue;
        }
        if let Some(cue) = &mut cue {
            cue.push(&std::mem::take(&mut digits));
            if line.bytes().all(|byte| byte.is_ascii_digit()) {
                line.clone_into(&mut digits);
            } else {
                cue.push(line);
            }
        }
    }
    if let Some(mut cue) = cue {
        cue.push(&digits);
        add(&cue, source, options, export);
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

fn add(cue: &Cue, source: &Source<'_>, options: &InputOptions, export: &mut Export) {
    let Cue { time, text, line } = cue;
    let (mut name, mut said) = speaker(text);
    let mut role = options.roles.name(name);
    if role == SpeakerRole::Unknown {
        role = options.roles.speaker(name);
    }
    if role == SpeakerRole::Unknown && !text.starts_with(['<', '[', '【']) {
        // "时间：明天" is no speaker.
        (name, said) = ("-", text);
        role = options.roles.speaker(name);
    }
    let about = || About { channel: Channel::Call, industry: options.industry.clone(), date: None };
    let agent = if role == SpeakerRole::Agent { name } else { "" };
    export.add(source.stem(), about, Row { role, word: name, kind: None, text: Ok(said), agent, time, line: *line });
}
