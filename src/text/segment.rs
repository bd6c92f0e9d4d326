//! Words by jieba, behind the pre-tokenizer interface of `tokenizers`.

use std::sync::OnceLock;

use jieba_rs::Jieba;
use serde::{Deserialize, Serialize};
use tokenizers::tokenizer::{
    NormalizedString, PreTokenizedString, PreTokenizer, Result, normalizer::Range as NormalizedRange,
};

use crate::span::Span;
use crate::text::ViewText;

/// jieba's dictionary with the words of customer service added; about 0.1 s to load, so loaded when first needed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Segmenter {
    #[serde(skip)]
    jieba: OnceLock<Jieba>,
    words: Vec<String>,
}

impl Segmenter {
    /// A segmenter that keeps each of `words` whole, whatever jieba's own dictionary says.
    pub fn new(words: Vec<String>) -> Segmenter {
        Segmenter { jieba: OnceLock::new(), words }
    }

    fn jieba(&self) -> &Jieba {
        self.jieba.get_or_init(|| {
            let mut jieba = Jieba::new();
            for word in &self.words {
                jieba.add_word(word, None, None);
            }
            jieba
        })
    }

    /// Where the words of `view` start and end. Punctuation and blanks are no words.
    pub fn words(&self, view: &ViewText) -> Words {
        // No HMM: words it invents from neighbouring characters would hide entries.
        let tokens = self.jieba().cut(view.text(), false);
        let mut at = 0;
        let tokens = tokens.into_iter().map(|token| {
            let start = at;
            at += token.word.len();
            (token.word, start..at)
        });
        Words::new(view.text(), tokens)
    }
}

impl PreTokenizer for Segmenter {
    fn pre_tokenize(&self, text: &mut PreTokenizedString) -> Result<()> {
        text.split(|_, piece| {
            let mut at = 0;
            let mut pieces: Vec<NormalizedString> = Vec::new();
            for token in self.jieba().cut(piece.get(), false) {
                let range = at..at + token.word.len();
                at = range.end;
                pieces.extend(piece.slice(NormalizedRange::Normalized(range)));
            }
            Ok(pieces)
        })
    }
}

/// The word boundaries of one view, in bytes of the view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    boundaries: Vec<usize>,
    starts: Vec<usize>,
}

impl Words {
    fn new<'t>(text: &str, tokens: impl Iterator<Item = (&'t str, Span)>) -> Words {
        let mut words = Words::default();
        for (token, span) in tokens {
            words.boundaries.push(span.start);
            if token.chars().any(char::is_alphanumeric) {
                words.starts.push(span.start);
            }
        }
        words.boundaries.push(text.len());
        words
    }

    /// Whether `span` begins and ends where words do.
    pub fn aligned(&self, span: &Span) -> bool {
        self.boundaries.binary_search(&span.start).is_ok() && self.boundaries.binary_search(&span.end).is_ok()
    }

    /// How many words start in `[from, to)`: the length of a gap.
    pub fn count(&self, from: usize, to: usize) -> usize {
        let first = self.starts.partition_point(|start| *start < from);
        let last = self.starts.partition_point(|start| *start < to);
        last.saturating_sub(first)
    }

    /// The start of the word that stands `n` words before byte `at`; 0 when there are fewer.
    pub fn back(&self, at: usize, n: usize) -> usize {
        let first = self.starts.partition_point(|start| *start < at);
        first.checked_sub(n).and_then(|i| self.starts.get(i)).copied().unwrap_or(0)
    }

    /// The end of the `n`-th word after byte `at`; the end of the text when there are fewer.
    pub fn forward(&self, at: usize, n: usize) -> usize {
        let first = self.starts.partition_point(|start| *start < at);
        let end = self.boundaries.last().copied().unwrap_or(0);
        self.starts.get(first + n).copied().unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::tokenizer::{OffsetReferential, OffsetType};

    use super::*;

    #[test]
    fn words_are_what_the_pre_tokenizer_splits() {
        let segmenter = Segmenter::default();
        for text in ["您好，请问有什么可以帮您？", "订单１２３已发货…请注意查收 thank you"]
        {
            let view = ViewText::plain(text);
            let mut split = PreTokenizedString::from(view.normalized().into_owned());
            segmenter.pre_tokenize(&mut split).expect("splits at jieba's own boundaries");
            let tokens = split.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
            let tokens = tokens.into_iter().map(|(token, (start, end), _)| (token, start..end));
            assert_eq!(Words::new(view.text(), tokens), segmenter.words(&view));
        }
    }

    #[test]
    fn words_are_kept_whole() {
        let segmenter = Segmenter::new(vec!["滚筒洗衣机".to_owned()]);
        let view = ViewText::plain("这台滚筒洗衣机，退不了");
        let words = segmenter.words(&view);
        let at = view.text().find('滚').expect("there");
        assert!(!words.aligned(&(at..at + 3)));
        assert!(words.aligned(&(at..at + "滚筒洗衣机".len())));
        let comma = view.text().find('，').expect("there");
        assert_eq!(words.count(at, comma), 1);
        assert_eq!(words.back(comma, 1), at);
        assert_eq!(words.forward(at, 1), view.text().find('退').expect("there"));
    }
}
