#![doc = include_str!("../README.md")]

mod error;
mod rules;

pub use error::TokenizerError;

use rules::Inner;

/// Longest `tokenizer.json` accepted.
pub const FILE_LIMIT: usize = 16 << 20;

/// What an incomplete or impossible code point is decoded to.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a text is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// More tokens follow: a code point that lacks bytes is left out until they are there.
    Open,
    /// Nothing follows.
    Closed,
}

/// Text to tokens and back.
pub struct Tokenizer {
    inner: Inner,
}

impl Tokenizer {
    /// Reads a `tokenizer.json` and checks that it is a byte-level BPE of `vocabulary` tokens that loses nothing.
    ///
    /// # Errors
    /// A [`TokenizerError`] that says what it is instead.
    pub fn new(json: &[u8], vocabulary: usize) -> Result<Self, TokenizerError> {
        if json.len() > FILE_LIMIT {
            return Err(TokenizerError::TooLong(json.len()));
        }
        let mut inner = Inner::from_bytes(json)
            .map_err(|error| TokenizerError::Unreadable(error.to_string()))?;
        rules::check(&inner, vocabulary)?;
        // What a person types is text, even where it looks like a special token.
        inner.set_encode_special_tokens(true);
        Ok(Self { inner })
    }

    /// The tokens of a text, from which exactly it comes back.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`], with the library's words; [`TokenizerError::Lossy`] from a file that passed the rules and is
    /// made to lose something all the same.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|error| TokenizerError::Encode(error.to_string()))?;
        let ids = encoding.get_ids().to_vec();
        if self.decode(&ids, Ending::Closed)? != text {
            return Err(TokenizerError::Lossy);
        }
        Ok(ids)
    }

    /// The text of tokens; special tokens and ids of no token stand for nothing. Of a text that goes on, pass all tokens each
    /// time: what was decoded before stays as it was.
    ///
    /// # Errors
    /// [`TokenizerError::Decode`], with the library's words.
    pub fn decode(&self, ids: &[u32], ending: Ending) -> Result<String, TokenizerError> {
        let mut text = self
            .inner
            .decode(ids, true)
            .map_err(|error| TokenizerError::Decode(error.to_string()))?;
        // The start of a code point at the end is replaced by exactly one character, however many of its bytes are there.
        if ending == Ending::Open && text.ends_with(REPLACEMENT) {
            text.pop();
        }
        Ok(text)
    }
}
