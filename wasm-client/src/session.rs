use client::{Rgb32, Seed};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::Answer;

/// A secret key at work with one model.
#[wasm_bindgen]
pub struct Session {
    inner: client::Session,
}

#[wasm_bindgen]
impl Session {
    /// Reads the manifest's JSON and makes a secret key, from `seed` where one is given.
    ///
    /// # Errors
    /// A manifest that this client does not accept, a seed that has not 32 bytes, no source of randomness.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &str, seed: Option<Vec<u8>>) -> Result<Session, JsError> {
        let seed = match seed {
            None => Seed::random()?,
            Some(bytes) => match <[u8; 32]>::try_from(bytes) {
                Ok(bytes) => Seed::from_bytes(bytes),
                Err(_) => return Err(JsError::new("a seed has 32 bytes")),
            },
        };
        Ok(Self {
            inner: client::Session::from_json(manifest.as_bytes(), seed)?,
        })
    }

    /// How many evaluation keys the model needs.
    #[wasm_bindgen(getter, js_name = keyCount)]
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.inner.manifest().keys.len()
    }

    /// Their size together, in bytes.
    #[wasm_bindgen(getter, js_name = keyBytesTotal)]
    #[must_use]
    pub fn key_bytes_total(&self) -> f64 {
        self.inner.manifest().evaluation_key_bytes as f64
    }

    /// The name of a key, as it stands in upload addresses.
    #[wasm_bindgen(js_name = keyName)]
    #[must_use]
    pub fn key_name(&self, index: usize) -> Option<String> {
        self.inner
            .manifest()
            .keys
            .get(index)
            .map(|key| key.name.clone())
    }

    /// The size of a key, in bytes.
    #[wasm_bindgen(js_name = keyBytes)]
    #[must_use]
    pub fn key_bytes(&self, index: usize) -> Option<f64> {
        self.inner
            .manifest()
            .keys
            .get(index)
            .map(|key| key.bytes as f64)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// A number past the last key.
    pub fn key(&self, index: usize) -> Result<Vec<u8>, JsError> {
        Ok(self.inner.key(index)?)
    }

    /// Encrypts 32×32 pixels of three bytes each.
    ///
    /// # Errors
    /// Another number of bytes, no source of randomness.
    #[wasm_bindgen(js_name = encryptImage)]
    pub fn encrypt_image(&self, rgb: &[u8]) -> Result<Vec<u8>, JsError> {
        Ok(self.inner.encrypt_image(&Rgb32::try_from(rgb)?)?)
    }

    /// Decrypts the server's reply.
    ///
    /// # Errors
    /// Bytes that are no answer to this session.
    pub fn decrypt(&self, reply: &[u8]) -> Result<Answer, JsError> {
        let logits = self.inner.decrypt(reply)?;
        let ranked = self.inner.classify(&logits, logits.len())?;
        Ok(Answer::new(logits, ranked))
    }
}
