//! What an operation costs: the weights of progress and of the time estimate.

use ckks::{KeyKind, KeySpec, Parameters, galois_element_of_rotation};

/// The kind of an operation, with what its cost depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Sum or difference of ciphertexts, or a product with the imaginary unit.
    Add,
    /// Forgetting primes.
    Drop,
    /// Sum with a plaintext.
    AddPlain,
    /// Sum of this many products of ciphertexts.
    Dot(usize),
    /// Sum of this many products with plaintexts.
    DotPlain(usize),
    /// Relinearisation: a key switch.
    Relinearize,
    /// Sum of this many ciphertexts with constant factors.
    Combine(usize),
    /// Rescale by this many primes.
    Rescale(usize),
    /// Rotation by these steps: a key switch.
    Rotate(i64),
    /// Conjugation: a key switch.
    Conjugate,
    /// To the ephemeral secret: a key switch at the base level.
    Encapsulate,
    /// Raising the modulus, to this level.
    Raise,
    /// Back from the ephemeral secret: a key switch.
    Decapsulate,
}

/// One operation at the level of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// The level it does it at.
    pub level: usize,
}

impl Operation {
    /// A name for errors and tables.
    pub fn name(&self) -> &'static str {
        match self.kind {
            OperationKind::Add => "add",
            OperationKind::Drop => "drop",
            OperationKind::AddPlain => "add plain",
            OperationKind::Dot(_) => "product",
            OperationKind::DotPlain(_) => "plain product",
            OperationKind::Relinearize => "relinearize",
            OperationKind::Combine(_) => "combine",
            OperationKind::Rescale(_) => "rescale",
            OperationKind::Rotate(_) => "rotate",
            OperationKind::Conjugate => "conjugate",
            OperationKind::Encapsulate => "encapsulate",
            OperationKind::Raise => "raise",
            OperationKind::Decapsulate => "decapsulate",
        }
    }

    /// The key it needs.
    pub fn key(&self, parameters: &Parameters) -> Option<KeySpec> {
        let degree = parameters.degree();
        let kind = match self.kind {
            OperationKind::Relinearize => KeyKind::Relinearization,
            OperationKind::Conjugate => KeyKind::Galois(2 * degree as u32 - 1),
            OperationKind::Encapsulate => KeyKind::ToEphemeral,
            OperationKind::Decapsulate => KeyKind::FromEphemeral,
            OperationKind::Rotate(steps) => match galois_element_of_rotation(steps, degree) {
                1 => return None,
                element => KeyKind::Galois(element),
            },
            _ => return None,
        };
        Some(KeySpec {
            kind,
            level: self.level,
        })
    }

    /// Limbs that can be worked on at the same time.
    pub fn limbs(&self, parameters: &Parameters) -> usize {
        match self.kind {
            OperationKind::Relinearize
            | OperationKind::Rotate(_)
            | OperationKind::Conjugate
            | OperationKind::Decapsulate => self.level + 1 + parameters.literal().special.len(),
            _ => self.level + 1,
        }
    }

    /// In transforms of one limb: each counts 1, a pass over one limb a fraction of it.
    pub fn cost(&self, parameters: &Parameters) -> f64 {
        let limbs = (self.level + 1) as f64;
        let special = parameters.literal().special.len() as f64;
        let digits = (limbs / parameters.literal().digit as f64).ceil();
        match self.kind {
            OperationKind::Add | OperationKind::Drop => 0.2 * limbs,
            OperationKind::AddPlain => 1.5 * limbs,
            OperationKind::Dot(terms) => 0.5 * limbs * terms as f64,
            OperationKind::DotPlain(terms) => 1.6 * limbs * terms as f64,
            OperationKind::Combine(terms) => 0.2 * limbs * terms as f64,
            // Two primes at once cost as much as one.
            OperationKind::Rescale(primes) => 4.0 * limbs * primes.div_ceil(2) as f64,
            OperationKind::Encapsulate => 16.0 * limbs,
            OperationKind::Raise => 3.0 * limbs,
            OperationKind::Relinearize
            | OperationKind::Rotate(_)
            | OperationKind::Conjugate
            | OperationKind::Decapsulate => {
                limbs + 2.0 * digits * (limbs + special) + 4.0 * (limbs + special)
            }
        }
    }
}
