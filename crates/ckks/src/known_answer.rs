//! What known-answer tests need and nobody else may have: only builds that also know insecure parameters contain it.

use crate::{
    CiphertextSpec, Complex64, Encryptor, SecretKey, SeededCiphertext, encryptor::EncryptError,
};
use ring::Seed;

impl Encryptor<'_> {
    /// Encrypts with randomness from `seed`: a second message under the same seed gives the difference of both away.
    pub fn encrypt_repeatably(
        &self,
        slots: &[Complex64],
        spec: &CiphertextSpec,
        seed: &Seed,
    ) -> Result<SeededCiphertext, EncryptError> {
        self.encrypt_with(slots, spec, seed)
    }
}

impl SecretKey {
    /// BLAKE3 of the coefficients, one byte each (255 for -1): it tells whoever knows it which guess of the key is right.
    pub fn digest(&self) -> [u8; 32] {
        let bytes: Vec<u8> = self.coefficients().iter().map(|&s| s as u8).collect();
        *blake3::hash(&bytes).as_bytes()
    }
}
