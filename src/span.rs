//! Places in text. `Span` is a half-open byte range of an original text; code points appear only in findings.

use std::ops::Range;

/// A half-open byte range `[start, end)` of the original text of a turn or file.
pub type Span = Range<usize>;

/// Turns a byte range of `text` into a code-point range, both half open and from 0.
///
/// # Panics
/// When the range does not lie on character boundaries of `text`.
///
/// ```
/// assert_eq!(zhijian::span::code_points("😊退不了", &(4..13)), 1..4);
/// ```
pub fn code_points(text: &str, span: &Span) -> Range<usize> {
    let start = text[..span.start].chars().count();
    start..start + text[span.clone()].chars().count()
}

/// Finds the line and column of a byte offset.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Notes where the lines of `text` start.
    pub fn new(text: &str) -> LineIndex {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        LineIndex { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The 1-based line and 1-based code-point column of byte `offset` of the same `text`.
    ///
    /// # Panics
    /// When `offset` is not a character boundary of `text`.
    pub fn locate(&self, text: &str, offset: usize) -> (u64, u64) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let column = text[self.starts[line - 1]..offset].chars().count() + 1;
        (line as u64, column as u64)
    }

    /// The text of 1-based `line`, without its line break.
    pub fn line<'t>(&self, text: &'t str, line: u64) -> &'t str {
        let at = usize::try_from(line).expect("a line number fits in memory") - 1;
        let end = self.starts.get(at + 1).copied().unwrap_or(text.len());
        text[self.starts[at]..end].trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_code_points() {
        let text = "一二\n三四五\r\n六";
        let index = LineIndex::new(text);
        assert_eq!(index.locate(text, 0), (1, 1));
        assert_eq!(index.locate(text, text.find('五').expect("there")), (2, 3));
        assert_eq!(index.locate(text, text.len()), (3, 2));
        assert_eq!(index.line(text, 2), "三四五");
    }
}
