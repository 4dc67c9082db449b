//! What key to make: learnt from a circuit by the planner, published in the manifest, obeyed by the client.

use crate::{Parameters, WireError, wire};
use ring::Basis;
use serde::{Deserialize, Serialize};

/// What a switching key switches from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// From `s^2`: relinearisation after a product.
    Relinearization,
    /// From `s(X^g)`: the automorphism of the Galois element `g`.
    Galois(u32),
    /// From `s` to the ephemeral sparse secret, at the base modulus alone: it is the only key under that secret.
    ToEphemeral,
    /// From the ephemeral sparse secret back to `s`.
    FromEphemeral,
}

/// One evaluation key and the highest level it is used at; it is made no higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeySpec {
    /// What it switches from.
    pub kind: KeyKind,
    /// The highest level of use.
    pub level: usize,
}

impl KeySpec {
    /// `relinearization`, `galois-` and the element, `to-ephemeral` or `from-ephemeral`.
    pub fn name(&self) -> String {
        match self.kind {
            KeyKind::Relinearization => "relinearization".into(),
            KeyKind::Galois(element) => format!("galois-{element}"),
            KeyKind::ToEphemeral => "to-ephemeral".into(),
            KeyKind::FromEphemeral => "from-ephemeral".into(),
        }
    }

    /// Exact bytes of the seeded key on the wire; zero where the specification does not fit the parameters.
    pub fn wire_bytes(&self, parameters: &Parameters) -> usize {
        if self.check(parameters).is_err() {
            return 0;
        }
        let digit = wire::packed_bytes(parameters, self.basis(parameters), parameters.degree());
        wire::SEED_BYTES + digit * parameters.digit_ranges(self.level).len()
    }

    /// Exact bytes of the prepared key in memory: both halves of each digit, 32 bits a residue; zero where the specification does not fit.
    pub fn prepared_bytes(&self, parameters: &Parameters) -> usize {
        if self.check(parameters).is_err() {
            return 0;
        }
        let Basis { q, p } = self.basis(parameters);
        let half = (q + p) * parameters.degree() * size_of::<u32>();
        2 * half * parameters.digit_ranges(self.level).len()
    }

    /// The primes it is made for: those of its level and the special ones, of which a key under the ephemeral secret has few.
    pub(crate) fn basis(&self, parameters: &Parameters) -> Basis {
        let basis = parameters.key_basis(self.level);
        match (self.kind, parameters.encapsulation()) {
            (KeyKind::ToEphemeral, Some(encapsulation)) => Basis {
                p: encapsulation.special,
                ..basis
            },
            _ => basis,
        }
    }

    /// Whether the level exists and the Galois element is odd, below 2N and not the identity; keys of the ephemeral secret exist in sets
    /// that have one, and the one under it at the base level alone, where its sparsity is safe.
    pub fn check(&self, parameters: &Parameters) -> Result<(), WireError> {
        let element = match self.kind {
            KeyKind::Relinearization => true,
            KeyKind::Galois(g) => g % 2 == 1 && g > 1 && (g as usize) < 2 * parameters.degree(),
            KeyKind::ToEphemeral => parameters
                .encapsulation()
                .is_some_and(|encapsulation| self.level == encapsulation.base - 1),
            KeyKind::FromEphemeral => parameters.encapsulation().is_some(),
        };
        if element && self.level <= parameters.max_level() {
            Ok(())
        } else {
            Err(WireError::Specification)
        }
    }

    /// The specification as bytes for domain separation.
    #[cfg(feature = "secret-key")]
    pub(crate) fn label(&self) -> [u8; 8] {
        let element = match self.kind {
            KeyKind::Relinearization => 0,
            KeyKind::Galois(element) => element,
            // No Galois element is even.
            KeyKind::ToEphemeral => 2,
            KeyKind::FromEphemeral => 4,
        };
        let mut label = [0; 8];
        label[..4].copy_from_slice(&element.to_le_bytes());
        label[4..].copy_from_slice(&(self.level as u32).to_le_bytes());
        label
    }
}
