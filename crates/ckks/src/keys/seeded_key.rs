//! An evaluation key on the wire: a public seed for the uniform halves, and the other halves bit-packed.

use super::KeySpec;
use crate::{Parameters, Subring, WireError, wire};
use ring::Poly;

/// The seeded form of one evaluation key.
pub struct SeededKey {
    pub(crate) spec: KeySpec,
    pub(crate) mask: [u8; wire::SEED_BYTES],
    /// `b_d` of each digit, by coefficients, over the primes of the key's level and the special primes.
    pub(crate) bodies: Vec<Poly>,
}

impl SeededKey {
    /// What it is.
    pub fn spec(&self) -> &KeySpec {
        &self.spec
    }

    /// The seed, then the bodies digit by digit.
    pub fn to_bytes(&self, parameters: &Parameters) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.spec.wire_bytes(parameters));
        out.extend_from_slice(&self.mask);
        for body in &self.bodies {
            wire::pack_poly(parameters, body, Subring::Full, &mut out);
        }
        out
    }

    /// Reads the key that `spec` describes.
    pub fn from_bytes(
        parameters: &Parameters,
        spec: &KeySpec,
        bytes: &[u8],
    ) -> Result<Self, WireError> {
        spec.check(parameters)?;
        let (expected, found) = (spec.wire_bytes(parameters), bytes.len());
        let (mask, mut rest) = bytes
            .split_first_chunk()
            .filter(|_| found == expected)
            .ok_or(WireError::Length { expected, found })?;
        let bodies = parameters
            .digit_ranges(spec.level)
            .map(|_| {
                let (body, after) =
                    wire::unpack_poly(parameters, spec.basis(parameters), Subring::Full, rest)?;
                rest = after;
                Ok(body)
            })
            .collect::<Result<_, WireError>>()?;
        Ok(Self {
            spec: *spec,
            mask: *mask,
            bodies,
        })
    }
}
