//! Rescaling: division by the last prime of the chain.

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError};

impl Evaluator<'_> {
    /// Divides by `q_level` with rounding: one level less, the scale divided by the prime.
    ///
    /// Relinearise first: in a third part the rounding error would be multiplied by `s^2`.
    pub fn rescale(&self, a: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        let [c0, c1] = &a.parts[..] else {
            return Err(EvaluatorError::Degree {
                expected: 2,
                found: a.parts(),
            });
        };
        let level = a.level();
        if level == 0 {
            return Err(EvaluatorError::LevelExhausted { level, needed: 1 });
        }
        let (c0, c1) = self.divide_both(c0, c1, self.parameters.rescale_conversion(level));
        Ok(Ciphertext {
            parts: vec![c0, c1],
            scale: a.scale / self.parameters.prime(level),
        })
    }
}
