//! Rescaling: division by the last primes of the chain.

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError};
use ring::{Division, both};

impl Evaluator<'_> {
    /// Divides by `q_level` with rounding: one level less, the scale divided by the prime.
    ///
    /// Relinearise first: in a third part the rounding error would be multiplied by `s^2`.
    pub fn rescale(&self, a: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.rescale_by(a, 1)
    }

    /// Divides by the last `primes` primes: as many levels less. Two at once are one rounding, and half the transforms of two rescales.
    pub fn rescale_by(&self, a: &Ciphertext, primes: usize) -> Result<Ciphertext, EvaluatorError> {
        Self::two_parts(a)?;
        let (level, parameters) = (a.level(), &self.parameters);
        if level < primes {
            return Err(EvaluatorError::LevelExhausted {
                level,
                needed: primes,
            });
        }
        let mut out: Option<Ciphertext> = None;
        let mut left = primes;
        while left > 0 {
            let now = out.as_ref().unwrap_or(a);
            let level = now.level();
            let (scale, division, count) = match left {
                1 => (
                    now.scale / parameters.prime(level),
                    parameters.rescale_division(level),
                    1,
                ),
                _ => (
                    now.scale / parameters.prime(level) / parameters.prime(level - 1),
                    parameters.rescale_twice_division(level),
                    2,
                ),
            };
            out = Some(self.divided(now, division, scale));
            left -= count;
        }
        Ok(out.unwrap_or_else(|| a.clone()))
    }

    fn divided(&self, a: &Ciphertext, division: &Division, scale: f64) -> Ciphertext {
        let divide = |part: usize| {
            let ring = self.parameters.ring();
            ring.divide_round(&a.parts[part], division)
        };
        let (c0, c1) = both(|| divide(0), || divide(1));
        Ciphertext {
            parts: vec![c0, c1],
            scale,
        }
    }
}
