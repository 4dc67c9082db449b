//! What key to make: learnt from a circuit by the planner, published in the manifest, obeyed by the client.

use crate::{Parameters, WireError, wire};
use serde::{Deserialize, Serialize};

/// What a switching key switches from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// From `s^2`: relinearisation after a product.
    Relinearization,
    /// From `s(X^g)`: the automorphism of the Galois element `g`.
    Galois(u32),
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
    /// `relinearization`, or `galois-` and the element.
    pub fn name(&self) -> String {
        match self.kind {
            KeyKind::Relinearization => "relinearization".into(),
            KeyKind::Galois(element) => format!("galois-{element}"),
        }
    }

    /// Exact bytes of the seeded key on the wire; zero where the specification does not fit the parameters.
    pub fn wire_bytes(&self, parameters: &Parameters) -> usize {
        if self.check(parameters).is_err() {
            return 0;
        }
        let digit = wire::packed_bytes(
            parameters,
            parameters.key_basis(self.level),
            parameters.degree(),
        );
        wire::SEED_BYTES + digit * parameters.digit_ranges(self.level).len()
    }

    /// Whether the level exists and the Galois element is odd, below 2N and not the identity.
    pub fn check(&self, parameters: &Parameters) -> Result<(), WireError> {
        let element = match self.kind {
            KeyKind::Relinearization => true,
            KeyKind::Galois(g) => g % 2 == 1 && g > 1 && (g as usize) < 2 * parameters.degree(),
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
        };
        let mut label = [0; 8];
        label[..4].copy_from_slice(&element.to_le_bytes());
        label[4..].copy_from_slice(&(self.level as u32).to_le_bytes());
        label
    }
}
