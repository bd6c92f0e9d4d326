//! What former runs judged, by content: a daily run over a growing folder judges each conversation once, and again when it
//! has grown.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use crate::error::InputError;
use crate::input::unreadable;
use crate::model::{Conversation, SpeakerRole};

/// The first line of a state file.
const HEADER: &str = "zhijian.seen/1";

/// Conversations judged before. Holds 16 bytes of hash each, no text.
#[derive(Debug, Default)]
pub struct Seen {
    before: HashSet<u128>,
    now: HashSet<u128>,
}

impl Seen {
    /// Reads the file at `path`; nothing where there is none.
    ///
    /// # Errors
    /// When it cannot be read or is no state file.
    pub fn read(path: &Path) -> Result<Seen, InputError> {
        let name = path.display().to_string();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seen::default()),
            Err(error) => return Err(unreadable(&name, &error.to_string(), "check --skip-seen")),
        };
        let mut seen = Seen::default();
        for (number, line) in (1..).zip(BufReader::new(file).lines()) {
            let problem = |message: &str| {
                unreadable(
                    &format!("{name}:{number}"),
                    message,
                    "name a file that --skip-seen wrote, or one that is not there yet",
                )
            };
            let line = line.map_err(|error| problem(&error.to_string()))?;
            if number == 1 {
                if line != HEADER {
                    return Err(problem("this is no state of --skip-seen"));
                }
                continue;
            }
            seen.before.insert(u128::from_str_radix(&line, 16).map_err(|_| problem("a damaged line"))?);
        }
        Ok(seen)
    }

    /// Whether a former run judged this conversation as it is; remembers it for the next run.
    pub fn contains(&mut self, conversation: &Conversation<'_>) -> bool {
        let key = key(conversation);
        self.before.contains(&key) || !self.now.insert(key)
    }

    /// Writes what this run and the former ones judged, in order, so that equal states are equal files.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut keys: Vec<&u128> = self.before.iter().chain(&self.now).collect();
        keys.sort_unstable();
        keys.dedup();
        writeln!(out, "{HEADER}")?;
        for key in keys {
            writeln!(out, "{key:032x}")?;
        }
        out.flush()
    }
}

/// A hash of the id and of who said what when. The file does not count: exports overlap.
fn key(conversation: &Conversation<'_>) -> u128 {
    let mut hasher = blake3::Hasher::new();
    let mut text = |text: &str| {
        // With its length, so that no text runs into the next.
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(conversation.id);
    for turn in &conversation.turns {
        text(match turn.role {
            SpeakerRole::Agent => "agent",
            SpeakerRole::Customer => "customer",
            SpeakerRole::System => "system",
            SpeakerRole::Unknown => "unknown",
        });
        text(turn.text);
        text(turn.time);
    }
    let half = hasher.finalize().as_bytes()[..16].try_into().expect("a hash has 32 bytes");
    u128::from_be_bytes(half)
}
