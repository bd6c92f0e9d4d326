//! Conversation JSON Lines: one conversation a line, unknown keys ignored.

use std::borrow::Cow;
use std::io::BufRead;

use jiff::civil::Date;
use serde::Deserialize;

use crate::error::InputError;
use crate::input::encoding::Encoding;
use crate::input::export::{Export, Row};
use crate::input::ledger::Skip;
use crate::input::{InputOptions, date};
use crate::model::Channel;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow, default)]
    industry: Cow<'a, str>,
    #[serde(borrow, default)]
    date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    turns: Vec<LineTurn<'a>>,
}

/// Ids come as strings or numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Number(serde_json::Number),
}

#[derive(Deserialize)]
struct LineTurn<'a> {
    #[serde(borrow, alias = "role")]
    speaker: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
}

/// Reads all lines of `reader`.
///
/// # Errors
/// When the input breaks off.
pub fn read(
    name: &str,
    mut reader: impl BufRead,
    encoding: Encoding,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    let mut bytes = Vec::new();
    for line in 1u64.. {
        bytes.clear();
        match reader.read_until(b'\n', &mut bytes) {
            Ok(0) => break,
            Ok(_) => push(&bytes, line, encoding, options, export),
            Err(error) => {
                return Err(InputError::Unreadable {
                    path: name.to_owned(),
                    message: error.to_string(),
                    help: format!("lines 1 to {} were read", line - 1),
                });
            }
        }
    }
    Ok(())
}

fn push(bytes: &[u8], line: u64, encoding: Encoding, options: &InputOptions, export: &mut Export) {
    let Some(text) = encoding.decode(bytes) else {
        return export.skip(Skip::Undecodable, line, "");
    };
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let parsed: Line<'_> = match serde_json::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            // The category and column, not the message: it may quote the text.
            let detail = format!("{:?} error at column {}", error.classify(), error.column());
            return export.skip(Skip::Malformed, line, &detail.to_lowercase());
        }
    };
    let id = match &parsed.id {
        Id::Text(id) => id.trim().to_owned(),
        Id::Number(id) => id.to_string(),
    };
    if id.is_empty() {
        return export.skip(Skip::MissingConversation, line, "");
    }
    let date: Option<Date> = parsed.date.as_deref().and_then(date::parse_date);
    let channel = Channel::from_word(&parsed.channel).unwrap_or(options.channel);
    let industry = if parsed.industry.is_empty() { options.industry.clone() } else { parsed.industry.into_owned() };
    let at = export.conversation(&id, || (channel, industry, date));
    for turn in &parsed.turns {
        let role = options.roles.role(&turn.speaker);
        export.count(role, || turn.speaker.as_ref().into(), &turn.text, line);
        let (agent, time) = (turn.agent.as_deref().unwrap_or(""), turn.time.as_deref().unwrap_or(""));
        export.push(at, Row { role, text: &turn.text, agent, time, line });
    }
}
