//! Ciphertexts: the seeded form that crosses the wire and the expanded one that is computed on.

use crate::{Parameters, Subring, WireError, wire};
use ring::Poly;
use serde::{Deserialize, Serialize};

/// The shape of a ciphertext on the wire, known to both sides before any byte is read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CiphertextSpec {
    /// The level.
    pub level: usize,
    /// log2 of the scale.
    pub log_scale: f64,
    /// Where the message lives, and so which part of a seeded ciphertext is sent.
    pub subring: Subring,
}

impl CiphertextSpec {
    /// The number of slots of the subring.
    pub fn slots(&self, parameters: &Parameters) -> usize {
        match self.subring {
            Subring::Full | Subring::Real => parameters.slots(),
            Subring::Even => parameters.slots() / 2,
        }
    }

    pub(crate) fn check(&self, parameters: &Parameters) -> Result<(), WireError> {
        let fits = self.level <= parameters.max_level()
            && self.log_scale > 0.0
            && self.log_scale < parameters.log_q(self.level);
        if fits {
            Ok(())
        } else {
            Err(WireError::Specification)
        }
    }
}

/// `(c_0, c_1)` with `c_0 + c_1 s = scale * m + e`, in evaluation form; with a third part after a product.
#[derive(Clone, Debug)]
pub struct Ciphertext {
    pub(crate) parts: Vec<Poly>,
    pub(crate) scale: f64,
}

impl Ciphertext {
    /// The level: rescalings left before the base modulus `q_0`.
    pub fn level(&self) -> usize {
        self.parts.first().map_or(0, |part| part.basis().q - 1)
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Number of parts: two, or three before relinearisation.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Bytes of a two-part ciphertext of this shape.
    pub fn wire_bytes(parameters: &Parameters, spec: &CiphertextSpec) -> Result<usize, WireError> {
        spec.check(parameters)?;
        Ok(2 * wire::packed_bytes(
            parameters,
            parameters.basis(spec.level),
            parameters.degree(),
        ))
    }

    /// Both parts, bit-packed.
    pub fn to_bytes(&self, parameters: &Parameters) -> Vec<u8> {
        let mut out = Vec::new();
        for part in &self.parts {
            let mut part = part.clone();
            parameters.ring().inverse(&mut part);
            wire::pack_poly(parameters, &part, Subring::Full, &mut out);
        }
        out
    }

    /// Reads a two-part ciphertext of the given shape.
    pub fn from_bytes(
        parameters: &Parameters,
        spec: &CiphertextSpec,
        bytes: &[u8],
    ) -> Result<Self, WireError> {
        let expected = Self::wire_bytes(parameters, spec)?;
        if bytes.len() != expected {
            return Err(WireError::Length {
                expected,
                found: bytes.len(),
            });
        }
        let basis = parameters.basis(spec.level);
        let (mut first, rest) = wire::unpack_poly(parameters, basis, Subring::Full, bytes)?;
        let (mut second, _) = wire::unpack_poly(parameters, basis, Subring::Full, rest)?;
        parameters.ring().forward(&mut first);
        parameters.ring().forward(&mut second);
        Ok(Self {
            parts: vec![first, second],
            scale: spec.log_scale.exp2(),
        })
    }
}

/// A fresh ciphertext whose second part is the expansion of a public seed.
pub struct SeededCiphertext {
    pub(crate) mask: [u8; wire::SEED_BYTES],
    /// What is sent of `c_0`, by coefficients; zero elsewhere.
    pub(crate) body: Poly,
    pub(crate) spec: CiphertextSpec,
}

impl SeededCiphertext {
    /// Bytes of a seeded ciphertext of this shape.
    pub fn wire_bytes(parameters: &Parameters, spec: &CiphertextSpec) -> Result<usize, WireError> {
        spec.check(parameters)?;
        let count = spec.subring.sent(parameters.degree());
        Ok(wire::SEED_BYTES + wire::packed_bytes(parameters, parameters.basis(spec.level), count))
    }

    /// Its shape.
    pub fn spec(&self) -> &CiphertextSpec {
        &self.spec
    }

    /// The seed, then `c_0`, bit-packed.
    pub fn to_bytes(&self, parameters: &Parameters) -> Vec<u8> {
        let mut out = self.mask.to_vec();
        wire::pack_poly(parameters, &self.body, self.spec.subring, &mut out);
        out
    }

    /// Reads a seeded ciphertext of the given shape.
    pub fn from_bytes(
        parameters: &Parameters,
        spec: &CiphertextSpec,
        bytes: &[u8],
    ) -> Result<Self, WireError> {
        let expected = Self::wire_bytes(parameters, spec)?;
        let found = bytes.len();
        let (mask, rest) = bytes
            .split_first_chunk()
            .filter(|_| found == expected)
            .ok_or(WireError::Length { expected, found })?;
        let (body, _) =
            wire::unpack_poly(parameters, parameters.basis(spec.level), spec.subring, rest)?;
        Ok(Self {
            mask: *mask,
            body,
            spec: *spec,
        })
    }

    /// The ciphertext to compute on.
    pub fn expand(&self, parameters: &Parameters) -> Ciphertext {
        let mut second = wire::expand_mask(parameters, &self.mask, 0, self.body.basis());
        let mut first = self.body.clone();
        parameters.ring().forward(&mut first);
        parameters.ring().forward(&mut second);
        Ciphertext {
            parts: vec![first, second],
            scale: self.spec.log_scale.exp2(),
        }
    }
}
