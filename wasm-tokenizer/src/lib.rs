#![doc = include_str!("../README.md")]

use tokenizer::Ending;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// Text to tokens and back.
#[wasm_bindgen]
pub struct Tokenizer {
    inner: tokenizer::Tokenizer,
}

#[wasm_bindgen]
impl Tokenizer {
    /// Reads a `tokenizer.json` with as many tokens as the model has.
    ///
    /// # Errors
    /// Anything but a byte-level BPE of that vocabulary.
    #[wasm_bindgen(constructor)]
    pub fn new(json: &[u8], vocabulary: usize) -> Result<Tokenizer, JsError> {
        let inner = tokenizer::Tokenizer::new(json, vocabulary)?;
        Ok(Self { inner })
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// A failure inside the library.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, JsError> {
        Ok(self.inner.encode(text)?)
    }

    /// The text of tokens. With `open`, more tokens follow, and a last code point that lacks bytes is left out.
    ///
    /// # Errors
    /// A failure inside the library.
    pub fn decode(&self, ids: &[u32], open: Option<bool>) -> Result<String, JsError> {
        let ending = if open == Some(true) {
            Ending::Open
        } else {
            Ending::Closed
        };
        Ok(self.inner.decode(ids, ending)?)
    }
}
