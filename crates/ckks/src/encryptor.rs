//! Symmetric encryption with a seeded mask.

use crate::{
    CiphertextSpec, Complex64, Parameters, SecretKey, SeededCiphertext, Subring, WireError,
    plaintext, wire,
};
use ring::Seed;
use zeroize::Zeroize;

/// Encrypts under a secret key.
pub struct Encryptor<'k> {
    parameters: Parameters,
    key: &'k SecretKey,
}

/// Why a message cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// The shape does not fit the parameters.
    #[error(transparent)]
    Specification(#[from] WireError),
    /// Not as many slots as the shape has.
    #[error("{found} slots where the shape has {expected}")]
    Slots {
        /// Slots of the shape.
        expected: usize,
        /// Slots given.
        found: usize,
    },
    /// A slot is complex where the shape has real ones.
    #[error("a slot is complex where the shape has real ones")]
    Complex,
    /// A slot is not finite or too large for the scale.
    #[error("a slot is not finite or too large for the scale")]
    Range,
    /// The operating system gave no randomness.
    #[error("no randomness: {0}")]
    Randomness(String),
}

impl<'k> Encryptor<'k> {
    /// An encryptor under `key`.
    pub fn new(parameters: &Parameters, key: &'k SecretKey) -> Self {
        Self {
            parameters: parameters.clone(),
            key,
        }
    }

    /// Encrypts `slots` ([`CiphertextSpec::slots`] of them, real for [`Subring::Real`]) with fresh randomness.
    pub fn encrypt(
        &self,
        slots: &[Complex64],
        spec: &CiphertextSpec,
    ) -> Result<SeededCiphertext, EncryptError> {
        let seed = Seed::random().map_err(|error| EncryptError::Randomness(error.to_string()))?;
        self.encrypt_with(slots, spec, &seed)
    }

    /// Encrypts with randomness from `seed`, which must serve one ciphertext only.
    pub(crate) fn encrypt_with(
        &self,
        slots: &[Complex64],
        spec: &CiphertextSpec,
        seed: &Seed,
    ) -> Result<SeededCiphertext, EncryptError> {
        let parameters = &self.parameters;
        spec.check(parameters)?;
        let expected = spec.slots(parameters);
        if slots.len() != expected {
            return Err(EncryptError::Slots {
                expected,
                found: slots.len(),
            });
        }
        if spec.subring == Subring::Real && slots.iter().any(|z| z.im != 0.0) {
            return Err(EncryptError::Complex);
        }
        let mut message = plaintext::encode(parameters, slots, spec.log_scale.exp2())
            .ok_or(EncryptError::Range)?;
        let mut error = vec![0; parameters.degree()];
        seed.xof(&[b"error"]).error(&mut error);
        for (m, e) in message.iter_mut().zip(&error) {
            *m += *e as i64;
        }
        let mask = *seed.derive(&[b"mask"]).expose();
        let basis = parameters.basis(spec.level);
        let ring = parameters.ring();
        let mut body = wire::expand_mask(parameters, &mask, 0, basis);
        ring.each(&mut body, |kernel, i, limb| {
            kernel.forward(limb);
            let uniform = limb.to_vec();
            kernel.dot(limb, &[&uniform], &[self.key.evaluations(i, basis)]);
            kernel.neg_assign(limb);
            kernel.inverse(limb);
            let mut plain = vec![0; limb.len()];
            kernel.reduce_signed(&mut plain, &message);
            kernel.add_assign(limb, &plain);
            plain.zeroize();
            spec.subring.fold(kernel.modulus(), limb);
        });
        message.zeroize();
        error.zeroize();
        Ok(SeededCiphertext {
            mask,
            body,
            spec: *spec,
        })
    }
}
