use thiserror::Error;

/// Why a tokenizer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenizerError {
    /// More bytes than any tokenizer needs.
    #[error("the tokenizer has {0} bytes, more than {limit}", limit = crate::FILE_LIMIT)]
    TooLong(usize),
    /// Not the JSON of a tokenizer.
    #[error("the tokenizer cannot be read: {0}")]
    Unreadable(String),
    /// A tokenizer of another kind.
    #[error("the tokenizer is no byte-level BPE that keeps a text as it is: {0}")]
    Unsupported(&'static str),
    /// A vocabulary that is not the model's.
    #[error("the tokenizer's vocabulary is not tokens 0 to {}", expected.saturating_sub(1))]
    Vocabulary {
        /// Tokens of the model.
        expected: usize,
    },
    /// The library could not encode a text.
    #[error("the text cannot be encoded: {0}")]
    Encode(String),
    /// Tokens that stand for another text.
    #[error("the tokenizer does not keep the text as it is")]
    Lossy,
    /// The library could not decode tokens.
    #[error("the tokens cannot be decoded: {0}")]
    Decode(String),
}
