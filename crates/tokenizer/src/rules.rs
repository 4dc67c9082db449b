//! What a tokenizer must be for every text to survive: bytes in, the same bytes out, and nothing by chance.
//!
//! The types say half of it: only the parts that byte-level BPE consists of can be read, so only they are linked.

use serde::{Deserialize, Deserializer, de::Error};
use tokenizers::{
    NormalizedString, Normalizer, TokenizerImpl, models::bpe::BPE,
    pre_tokenizers::byte_level::ByteLevel,
};

use crate::TokenizerError;

/// A byte-level BPE.
pub(crate) type Inner = TokenizerImpl<BPE, NoNormalizer, ByteLevel, ByteLevel, ByteLevel>;

/// What a file has instead of a normaliser; there is no value of it.
pub(crate) enum NoNormalizer {}

impl Normalizer for NoNormalizer {
    fn normalize(&self, _: &mut NormalizedString) -> tokenizers::Result<()> {
        match *self {}
    }
}

impl<'de> Deserialize<'de> for NoNormalizer {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("it changes the text first"))
    }
}

pub(crate) fn check(tokenizer: &Inner, vocabulary: usize) -> Result<(), TokenizerError> {
    let unsupported = |reason| Err(TokenizerError::Unsupported(reason));
    let model = tokenizer.get_model();
    if model.dropout.is_some_and(|share| share > 0.0) {
        return unsupported("it leaves out merges by chance");
    }
    if model.continuing_subword_prefix.is_some() || model.end_of_word_suffix.is_some() {
        return unsupported("it marks parts of words");
    }
    match tokenizer.get_pre_tokenizer() {
        Some(split) if !split.add_prefix_space => {}
        _ => return unsupported("it does not start from the text's bytes alone"),
    }
    if tokenizer.get_decoder().is_none() {
        return unsupported("it does not decode to bytes");
    }
    if tokenizer.get_truncation().is_some() || tokenizer.get_padding().is_some() {
        return unsupported("it cuts or pads");
    }
    let tokens = tokenizer.get_vocab(true);
    let mut ids: Vec<_> = tokens.values().map(|&id| id as usize).collect();
    ids.sort_unstable();
    if !ids.into_iter().eq(0..vocabulary) {
        return Err(TokenizerError::Vocabulary {
            expected: vocabulary,
        });
    }
    if ByteLevel::alphabet()
        .iter()
        .any(|byte| !tokens.contains_key(byte.encode_utf8(&mut [0; 4])))
    {
        return unsupported("it lacks tokens for some bytes");
    }
    Ok(())
}
