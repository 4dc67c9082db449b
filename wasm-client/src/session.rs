use client::{
    Rgb32, Sampler, Seed, alternatives,
    model::Embedding,
    protocol::manifest::{Manifest, TaskKind},
};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};
use zeroize::Zeroize;

use crate::{Answer, NextToken, Sampling};

/// A secret key at work with one model.
#[wasm_bindgen]
pub struct Session {
    inner: client::Session,
    embedding: Option<Embedding>,
}

#[wasm_bindgen]
impl Session {
    /// Reads the manifest's JSON and derives the secret key from `seed`. The seed is wiped, in the caller's array too.
    ///
    /// # Errors
    /// A manifest that this client does not accept, a seed that has not 32 bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &str, seed: &mut [u8]) -> Result<Session, JsError> {
        let mut bytes = [0; 32];
        let whole = seed.len() == bytes.len();
        if whole {
            bytes.copy_from_slice(seed);
        }
        seed.zeroize();
        let taken = Seed::from_bytes(bytes);
        bytes.zeroize();
        if !whole {
            return Err(JsError::new("a seed has 32 bytes"));
        }
        Ok(Self {
            inner: client::Session::from_json(manifest.as_bytes(), taken)?,
            embedding: None,
        })
    }

    /// The same model under a fresh secret key of no further use: what it reads in an answer is what anybody else would.
    ///
    /// # Errors
    /// No source of randomness.
    pub fn stranger(&self) -> Result<Session, JsError> {
        Ok(Self {
            inner: client::Session::new(self.manifest(), Seed::random()?)?,
            embedding: self.embedding.clone(),
        })
    }

    /// What the model does: `classify` or `complete`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn task(&self) -> String {
        match self.manifest().task.kind() {
            TaskKind::Classify => "classify",
            TaskKind::Complete => "complete",
        }
        .to_owned()
    }

    /// How many evaluation keys the model needs.
    #[wasm_bindgen(getter, js_name = keyCount)]
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.manifest().keys.len()
    }

    /// Their size together, in bytes.
    #[wasm_bindgen(getter, js_name = keyBytesTotal)]
    #[must_use]
    pub fn key_bytes_total(&self) -> f64 {
        self.manifest().evaluation_key_bytes as f64
    }

    /// The name of a key, as it stands in upload addresses.
    #[wasm_bindgen(js_name = keyName)]
    #[must_use]
    pub fn key_name(&self, index: usize) -> Option<String> {
        self.manifest().keys.get(index).map(|key| key.name.clone())
    }

    /// The size of a key, in bytes.
    #[wasm_bindgen(js_name = keyBytes)]
    #[must_use]
    pub fn key_bytes(&self, index: usize) -> Option<f64> {
        self.manifest().keys.get(index).map(|key| key.bytes as f64)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// A number past the last key.
    pub fn key(&self, index: usize) -> Result<Vec<u8>, JsError> {
        Ok(self.inner.key(index)?)
    }

    /// Names the session's keys by what the server has too: 16 hexadecimal digits from the bytes of key 0.
    #[must_use]
    pub fn fingerprint(&self, first_key: &[u8]) -> String {
        self.inner.fingerprint(first_key)
    }

    /// Reads `stem.safetensors`, which images need where the manifest names it.
    ///
    /// # Errors
    /// Not the file that the manifest names, or not of the model's convolutions.
    #[wasm_bindgen(js_name = loadStem)]
    pub fn load_stem(&mut self, content: &[u8]) -> Result<(), JsError> {
        Ok(self.inner.load_stem(content)?)
    }

    /// Encrypts 32×32 pixels of three bytes each.
    ///
    /// # Errors
    /// Another number of bytes, no stem yet, no source of randomness.
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
        Ok(Answer::new(ranked))
    }

    /// The values that an answer ranks: one score for each class or token.
    ///
    /// # Errors
    /// Bytes that are no answer to this session, no embedding yet.
    pub fn scores(&self, reply: &[u8]) -> Result<Vec<f32>, JsError> {
        Ok(match self.manifest().task.kind() {
            TaskKind::Classify => self.inner.decrypt(reply)?,
            TaskKind::Complete => self.inner.decrypt_logits(self.embedding()?, reply)?,
        })
    }

    /// Checks that two downloaded files are the clear model behind the manifest.
    ///
    /// # Errors
    /// Any other content.
    #[wasm_bindgen(js_name = checkWeights)]
    pub fn check_weights(&self, config: &[u8], weights: &[u8]) -> Result<(), JsError> {
        Ok(self.inner.check_weights(config, weights)?)
    }

    /// Checks that a downloaded file is the one that the manifest names.
    ///
    /// # Errors
    /// Another size or content, a name that the manifest does not have.
    #[wasm_bindgen(js_name = checkFile)]
    pub fn check_file(&self, name: &str, content: &[u8]) -> Result<(), JsError> {
        Ok(self.inner.check_file(name, content)?)
    }

    /// Reads `embedding.safetensors`, which prompts need.
    ///
    /// # Errors
    /// Not the file that the manifest names, or no embedding of the model's shape.
    #[wasm_bindgen(js_name = loadEmbedding)]
    pub fn load_embedding(&mut self, content: &[u8]) -> Result<(), JsError> {
        self.embedding = Some(self.inner.embedding(content)?);
        Ok(())
    }

    /// The window that ends with these tokens, padded in front.
    ///
    /// # Errors
    /// A model that does not complete.
    pub fn window(&self, ids: &[u32]) -> Result<Vec<u32>, JsError> {
        Ok(self.inner.prompt(ids)?.ids)
    }

    /// Encrypts the window that ends with these tokens.
    ///
    /// # Errors
    /// No embedding yet, tokens outside of the vocabulary, no source of randomness.
    #[wasm_bindgen(js_name = encryptPrompt)]
    pub fn encrypt_prompt(&self, ids: &[u32]) -> Result<Vec<u8>, JsError> {
        let prompt = self.inner.prompt(ids)?;
        Ok(self.inner.encrypt_prompt(self.embedding()?, &prompt)?)
    }

    /// Decrypts the server's reply to a prompt and chooses the next token.
    ///
    /// # Errors
    /// Bytes that are no answer to this session, settings that make no sense.
    #[wasm_bindgen(js_name = nextToken)]
    pub fn next_token(&self, reply: &[u8], sampling: &Sampling) -> Result<NextToken, JsError> {
        let temperature = sampling.temperature().unwrap_or(1.0);
        let number = |name, value: Option<f64>| whole(name, value.unwrap_or(0.0));
        let top_k = usize::try_from(number("topK", sampling.top_k())?)?;
        let sampler = Sampler::new(temperature, top_k, number("seed", sampling.seed())?)?;
        let shown = whole("alternatives", sampling.alternatives().unwrap_or(10.0))?;
        let logits = self.inner.decrypt_logits(self.embedding()?, reply)?;
        let token = sampler.at(number("step", sampling.step())?).pick(&logits);
        let token = token.ok_or_else(|| JsError::new("the answer has no usable number"))?;
        let alternatives = alternatives(&logits, usize::try_from(shown)?, temperature);
        Ok(NextToken::new(token, alternatives))
    }
}

impl Session {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }

    fn embedding(&self) -> Result<&Embedding, JsError> {
        let missing = || JsError::new("the embedding is not loaded");
        self.embedding.as_ref().ok_or_else(missing)
    }
}

/// JavaScript's numbers are exact up to 2^53.
fn whole(name: &str, value: f64) -> Result<u64, JsError> {
    if value.trunc() == value && (0.0..9_007_199_254_740_992.0).contains(&value) {
        return Ok(value as u64);
    }
    let sentence = format!("{name} is {value}, not a whole number from 0 to 2^53 - 1");
    Err(JsError::new(&sentence))
}
