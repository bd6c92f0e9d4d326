//! Encodings of exports: detected from the first bytes, decoded a field at a time so that a bad byte spoils one row.

use std::borrow::Cow;
use std::io::Read;

use encoding_rs::GB18030;
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

/// An encoding that exports come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With or without byte order mark.
    Utf8,
    /// Also reads GBK and GB2312.
    Gb18030,
    /// Little endian.
    Utf16Le,
    /// Big endian.
    Utf16Be,
}

impl Encoding {
    /// Tells the encoding from the first bytes of a file: a byte order mark, zero bytes where Latin letters have them in
    /// UTF-16, else UTF-8 where it is valid and GB18030 where it is not.
    ///
    /// ```
    /// use zhijian::input::Encoding;
    /// assert_eq!(Encoding::detect("会话ID".as_bytes()), Encoding::Utf8);
    /// assert_eq!(Encoding::detect(b"\xbb\xe1\xbb\xb0ID"), Encoding::Gb18030);
    /// assert_eq!(Encoding::detect(b"\xff\xfeI\0D\0"), Encoding::Utf16Le);
    /// ```
    pub fn detect(sample: &[u8]) -> Encoding {
        match sample {
            [0xff, 0xfe, ..] => return Encoding::Utf16Le,
            [0xfe, 0xff, ..] => return Encoding::Utf16Be,
            [0xef, 0xbb, 0xbf, ..] => return Encoding::Utf8,
            _ => {}
        }
        let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).take(2000).filter(|byte| **byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let many = sample.len().min(4000) / 50;
        if odd > many && odd > 4 * even {
            return Encoding::Utf16Le;
        }
        if even > many && even > 4 * odd {
            return Encoding::Utf16Be;
        }
        match std::str::from_utf8(sample) {
            Ok(_) => Encoding::Utf8,
            // The sample may end inside a character.
            Err(error) if error.error_len().is_none() => Encoding::Utf8,
            // A few bad bytes do not make a file GB18030: the encoding that spoils fewer characters wins.
            Err(_) => {
                let spoilt = |text: &str| text.chars().filter(|c| *c == '\u{fffd}').count();
                let utf8 = spoilt(&String::from_utf8_lossy(sample));
                let gb = spoilt(&GB18030.decode_without_bom_handling(sample).0);
                let private = GB18030.decode_without_bom_handling(sample).0.chars().filter(is_unlikely).count();
                if utf8 <= gb + private { Encoding::Utf8 } else { Encoding::Gb18030 }
            }
        }
    }

    /// The encoding called `name`.
    pub fn from_name(name: &str) -> Option<Encoding> {
        Some(match name.to_lowercase().replace(['-', '_'], "").as_str() {
            "utf8" | "utf8bom" => Encoding::Utf8,
            "gbk" | "gb2312" | "gb18030" | "cp936" => Encoding::Gb18030,
            "utf16" | "utf16le" => Encoding::Utf16Le,
            "utf16be" => Encoding::Utf16Be,
            _ => return None,
        })
    }

    /// Wraps `reader`: UTF-16 becomes UTF-8 and a byte order mark is dropped; other bytes pass as they are, to be
    /// decoded field by field.
    pub fn reader<R: Read>(self, reader: R) -> DecodeReaderBytes<R, Vec<u8>> {
        let mut builder = DecodeReaderBytesBuilder::new();
        match self {
            Encoding::Utf8 | Encoding::Gb18030 => builder.utf8_passthru(true).strip_bom(true).bom_sniffing(false),
            Encoding::Utf16Le => builder.encoding(Some(encoding_rs::UTF_16LE)).bom_override(true).strip_bom(true),
            Encoding::Utf16Be => builder.encoding(Some(encoding_rs::UTF_16BE)).bom_override(true).strip_bom(true),
        };
        if matches!(self, Encoding::Utf8 | Encoding::Gb18030) {
            builder.encoding(None);
        }
        builder.build(reader)
    }

    /// Decodes one field; `None` when it holds bytes that are no text in this encoding.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Encoding::Gb18030 if !bytes.is_ascii() => {
                GB18030.decode_without_bom_handling_and_without_replacement(bytes)
            }
            // UTF-16 was turned into UTF-8 by the reader, with U+FFFD for what was no text.
            Encoding::Utf16Le | Encoding::Utf16Be => {
                std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\u{fffd}')).map(Cow::Borrowed)
            }
            _ => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        }
    }

    /// Decodes a field that is not in the file's encoding but in the other common one; `None` when it is in neither.
    pub(super) fn decode_other(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        let other = match self {
            Encoding::Utf8 => Encoding::Gb18030,
            Encoding::Gb18030 => Encoding::Utf8,
            Encoding::Utf16Le | Encoding::Utf16Be => return None,
        };
        other.decode(bytes).filter(|text| !text.chars().any(|c| is_unlikely(&c)))
    }

    /// The name that `--encoding` takes.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Gb18030 => "gb18030",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
        }
    }

    /// The sample as text, for telling format and columns; bad bytes become U+FFFD.
    pub fn decode_sample(self, sample: &[u8]) -> String {
        let encoding = match self {
            Encoding::Utf8 => encoding_rs::UTF_8,
            Encoding::Gb18030 => GB18030,
            Encoding::Utf16Le => encoding_rs::UTF_16LE,
            Encoding::Utf16Be => encoding_rs::UTF_16BE,
        };
        encoding.decode_with_bom_removal(sample).0.into_owned()
    }
}

/// Characters that chats do not hold but that UTF-8 read as GB18030 gives: private use and rare scripts.
fn is_unlikely(c: &char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{80}'..='\u{9f}' | '\u{0400}'..='\u{04ff}' | '\u{3040}'..='\u{30ff}')
}
