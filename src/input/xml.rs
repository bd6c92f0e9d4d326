//! XML answers, as the message service of 淘宝 gives them: read into the same values as JSON.

use std::io::Read;

use quick_xml::XmlVersion::Implicit1_0;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

use crate::error::InputError;
use crate::input::export::Export;
use crate::input::ledger::Skip;
use crate::input::{InputOptions, Source, shapes};

/// Bytes. Answers hold one page of messages.
const LARGEST: u64 = 64 << 20;
/// Elements in elements.
const DEEPEST: usize = 64;

/// Reads one document.
///
/// # Errors
/// When it is no XML or too large.
pub fn read(
    source: &Source<'_>,
    reader: &mut dyn Read,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| source.broken(&error, 0, export))?;
    if bytes.len() as u64 > LARGEST {
        return Err(source.unreadable("too large for one XML document", "ask the service for smaller pages"));
    }
    let Some(text) = super::decode_row(&bytes, source.encoding, 1, export) else {
        export.skip(Skip::Undecodable, 1, "");
        return Ok(());
    };
    let value = value_of(&text).map_err(|message| source.unreadable(&message, "the document is damaged"))?;
    if !shapes::read(&value, 1, source, options, export) {
        export.skip(Skip::Malformed, 1, "no messages found");
    }
    Ok(())
}

/// Name, children and text of an open element.
type Element = (String, Map<String, Value>, String);

/// What an entity stands for; `None` for one that the document defines itself.
pub(super) fn character(reference: &BytesRef<'_>) -> Result<Option<char>, String> {
    let named = match &*reference.xml_content(Implicit1_0) {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    };
    Ok(reference.resolve_char_ref().map_err(|error| error.to_string())?.or(named))
}

/// Elements become keys, repeated ones lists, texts strings.
pub(super) fn value_of(text: &str) -> Result<Value, String> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open: Vec<Element> = vec![(String::new(), Map::new(), String::new())];
    let push = |open: &mut Vec<Element>, piece: &str| {
        if let Some((_, _, text)) = open.last_mut() {
            text.push_str(piece);
        }
    };
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                if open.len() > DEEPEST {
                    return Err("elements too deep".to_owned());
                }
                open.push((tag.name().as_ref().to_owned(), Map::new(), String::new()));
            }
            Event::End(_) => {
                let (name, children, text) = open.pop().ok_or("unbalanced elements")?;
                let (_, parent, _) = open.last_mut().ok_or("unbalanced elements")?;
                let value =
                    if children.is_empty() { Value::String(text.trim().to_owned()) } else { Value::Object(children) };
                match parent.get_mut(&name) {
                    None => {
                        parent.insert(name, value);
                    }
                    Some(Value::Array(values)) => values.push(value),
                    Some(first) => *first = Value::Array(vec![first.take(), value]),
                }
            }
            Event::Text(piece) => push(&mut open, &piece.xml_content(Implicit1_0)),
            Event::CData(piece) => push(&mut open, &piece.xml_content(Implicit1_0)),
            Event::GeneralRef(reference) => {
                if let Some(character) = character(&reference)? {
                    push(&mut open, character.encode_utf8(&mut [0; 4]));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if open.len() != 1 {
        return Err("the document ends inside an element".to_owned());
    }
    // The outermost element is a wrapper: its name says which service answered.
    let (_, mut root, _) = open.swap_remove(0);
    let first = root.keys().next().cloned();
    Ok(first.and_then(|key| root.remove(&key)).unwrap_or(Value::Null))
}
