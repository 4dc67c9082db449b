//! Vectors that a circuit adds in every evaluation.

use crate::{CircuitError, Evaluator};
use ckks::Complex64;
use std::sync::OnceLock;

/// A vector that is encoded when it is first added, and kept encoded from then on.
pub struct Constant<P> {
    slots: Vec<Complex64>,
    encoded: OnceLock<(f64, P)>,
}

impl<P> Constant<P> {
    /// As many slots as there are, or a smaller power of two that repeats.
    pub fn new(slots: Vec<Complex64>) -> Self {
        Self {
            slots,
            encoded: OnceLock::new(),
        }
    }

    /// `a + self`; the circuit gives the same scale every time, and another one is encoded anew.
    pub fn add_to<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        a: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let scale = evaluator.scale_of(a);
        if self.encoded.get().is_none() {
            let _ = self
                .encoded
                .set((scale, evaluator.encode(&self.slots, scale)?));
        }
        match self.encoded.get().filter(|(kept, _)| *kept == scale) {
            Some((_, encoded)) => evaluator.add_plain(a, encoded),
            None => evaluator.add_vector(a, &self.slots),
        }
    }
}
