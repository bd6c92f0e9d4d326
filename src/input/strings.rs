//! Strings of an export, each stored once: agents paste replies, days have few moments, conversations one agent.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

/// The number of a string; see [`Strings`].
pub type StringId = u32;

/// Many strings, one behind the other in one buffer.
#[derive(Debug, Default)]
pub struct Strings {
    buffer: String,
    /// Where each ends.
    ends: Vec<usize>,
    table: HashTable<StringId>,
}

impl Strings {
    /// The number of `text`; the same for the same text.
    ///
    /// # Panics
    /// When there are 2^32 strings.
    pub fn intern(&mut self, text: &str) -> StringId {
        let key = hash(text);
        let (buffer, ends) = (&self.buffer, &self.ends);
        if let Some(known) = self.table.find(key, |id| at(buffer, ends, *id) == text) {
            return *known;
        }
        let id = StringId::try_from(self.ends.len()).expect("fewer than 2^32 strings fit in memory");
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
        let (buffer, ends) = (&self.buffer, &self.ends);
        self.table.insert_unique(key, id, |id| hash(at(buffer, ends, *id)));
        id
    }

    /// The string with this number.
    pub fn get(&self, id: StringId) -> &str {
        at(&self.buffer, &self.ends, id)
    }

    /// What the strings take, in bytes.
    pub fn memory(&self) -> usize {
        self.buffer.len() + self.ends.len() * size_of::<usize>() + self.table.capacity() * (size_of::<StringId>() + 1)
    }

    /// Forgets all strings and keeps the room they took.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.ends.clear();
        self.table.clear();
    }
}

fn at<'b>(buffer: &'b str, ends: &[usize], id: StringId) -> &'b str {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &buffer[start..ends[id]]
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_stored_once() {
        let mut strings = Strings::default();
        let ids: Vec<_> = ["亲", "", "在的", "亲", ""].iter().map(|text| strings.intern(text)).collect();
        assert_eq!(ids, [0, 1, 2, 0, 1]);
        assert_eq!((strings.get(0), strings.get(1), strings.get(2)), ("亲", "", "在的"));
        strings.clear();
        assert_eq!((strings.intern("在的"), strings.get(0)), (0, "在的"));
    }
}
