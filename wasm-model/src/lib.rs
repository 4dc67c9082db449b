#![doc = include_str!("../README.md")]

use model::{Embedding, Lm, Vit, image::Rgb32};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// The vision transformer in the clear.
#[wasm_bindgen]
pub struct ClearVision {
    vit: Vit,
}

#[wasm_bindgen]
impl ClearVision {
    /// Reads `config.json`, `model.safetensors` and, where the model has convolutions, `stem.safetensors`.
    ///
    /// # Errors
    /// Files that are not such a model.
    #[wasm_bindgen(constructor)]
    pub fn new(
        config: &[u8],
        weights: &[u8],
        stem: Option<Box<[u8]>>,
    ) -> Result<ClearVision, JsError> {
        let vit = Vit::from_bytes(config, weights, stem.as_deref())?;
        Ok(Self { vit })
    }

    /// The scores of all classes for 32×32 pixels of three bytes each.
    ///
    /// # Errors
    /// Another number of bytes.
    pub fn scores(&self, rgb: &[u8]) -> Result<Vec<f32>, JsError> {
        let patches = self.vit.patches(&Rgb32::try_from(rgb)?);
        Ok(self.vit.logits(&patches).to_vec())
    }
}

/// The language model in the clear.
#[wasm_bindgen]
pub struct ClearLanguage {
    lm: Lm,
    embedding: Embedding,
}

#[wasm_bindgen]
impl ClearLanguage {
    /// Reads `config.json`, `model.safetensors` and `embedding.safetensors`.
    ///
    /// # Errors
    /// Files that are not such a model.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &[u8], weights: &[u8], embedding: &[u8]) -> Result<ClearLanguage, JsError> {
        let lm = Lm::from_bytes(config, weights)?;
        let shape = &lm.config.architecture;
        let embedding =
            Embedding::from_bytes(embedding, shape.window, shape.width, shape.vocabulary)?;
        Ok(Self { lm, embedding })
    }

    /// The scores of all tokens behind one whole window.
    ///
    /// # Errors
    /// Another number of tokens, tokens outside of the vocabulary.
    pub fn scores(&self, window: &[u32]) -> Result<Vec<f32>, JsError> {
        let hidden = self.lm.hidden(&self.embedding.rows(window)?);
        Ok(self.embedding.logits(&hidden.to_vec())?)
    }
}
