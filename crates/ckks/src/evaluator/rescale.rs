//! Rescaling: division by the last prime of the chain.

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError};

impl Evaluator<'_> {
    /// Divides by `q_level` with rounding: one level less, the scale divided by the prime.
    ///
    /// Relinearise first: in a third part the rounding error would be multiplied by `s^2`.
    pub fn rescale(&self, a: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        Self::two_parts(a)?;
        let level = a.level();
        if level == 0 {
            return Err(EvaluatorError::LevelExhausted { level, needed: 1 });
        }
        let conversion = self.parameters.rescale_conversion(level);
        let ring = self.parameters.ring();
        Ok(Ciphertext {
            parts: a
                .parts
                .iter()
                .map(|part| ring.divide_round(part.clone(), conversion))
                .collect(),
            scale: a.scale / self.parameters.prime(level),
        })
    }
}
