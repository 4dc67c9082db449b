//! EvalMod: reduction modulo the base, as a sine (Cheon, Han, Kim, Kim, Song, ePrint 2018/153; Han, Ki, ePrint 2019/688).
//!
//! A coefficient is `t = m + Q I`. `sin(2 pi t / Q) = sin(2 pi m / Q)` is `2 pi m / Q` but for a relative `(2 pi m / Q)^2 / 6`.
//! As `cos(2 pi (t/Q - 1/4))` it comes from the cosine of a quarter of the angle by doubling twice, `cos 2 a = 2 cos^2 a - 1`; the cosine
//! is even, so with `y = (t/Q - 1/4)/B` it is a polynomial of half the degree in `2 y^2 - 1`.
//!
//! `|t/Q| <= (h + 1)/2` for an ephemeral secret of weight `h`, whatever the coins: `c_0` and `h` coefficients of `c_1` add up, each at
//! most `Q/2`. `B` is that and the quarter, so that no input leaves the interval and the probability of failure is zero, not small.

use crate::{Chebyshev, CircuitError, Evaluator};
use std::f64::consts::TAU;

/// The sine on the interval of one ephemeral secret.
pub(super) struct EvalMod {
    /// `B`.
    pub(super) bound: f64,
    cosine: Chebyshev,
}

/// Doublings of the angle.
const DOUBLINGS: u32 = 2;

/// Degree in `2 y^2 - 1`: all of five levels. The interpolation's error is below 2^-50 for a weight of 32.
const DEGREE: usize = 31;

/// Primes of one rescale.
const PRIMES: usize = 2;

impl EvalMod {
    /// Primes that it takes.
    pub(super) const LEVELS: usize = PRIMES * (1 + 5 + DOUBLINGS as usize);

    pub(super) fn new(weight: usize) -> Self {
        // What base conversion may round to the other side adds 2^-20 of it.
        let bound = (weight as f64 + 1.0) / 2.0 + 0.25 + 1e-3;
        let angle = TAU * bound / f64::from(1 << DOUBLINGS);
        let cosine = |w: f64| (angle * (0.5 + 0.5 * w).max(0.0).sqrt()).cos();
        Self {
            bound,
            cosine: Chebyshev::interpolate(DEGREE, cosine),
        }
    }

    /// `sin(2 pi B x)` for real slots of `[-1, 1]`, more exactly up to `1 - 1/(4 B)`, at `scale`, which is near that of `x`.
    pub(super) fn evaluate<E: Evaluator>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
        scale: f64,
    ) -> Result<E::Ciphertext, CircuitError> {
        let own = evaluator.scale_of(x);
        let y = evaluator.combine(&[(1.0, x)], -0.25 / self.bound, own)?;
        let w = doubled(evaluator, &y)?;
        // A doubling squares the scale and divides it by the primes: backwards from the scale at the end.
        let end = evaluator.level_of(x).saturating_sub(Self::LEVELS);
        let cosine = (0..DOUBLINGS as usize).fold(scale, |scale, doubling| {
            let primes = (1..=PRIMES).map(|i| evaluator.prime(end + PRIMES * doubling + i));
            (scale * primes.product::<f64>()).sqrt()
        });
        let cosine = self.cosine.evaluate(evaluator, &w, PRIMES, cosine)?;
        (0..DOUBLINGS).try_fold(cosine, |c, _| doubled(evaluator, &c))
    }
}

/// `2 c^2 - 1`.
fn doubled<E: Evaluator>(evaluator: &E, c: &E::Ciphertext) -> Result<E::Ciphertext, CircuitError> {
    let square = evaluator.relinearize(&evaluator.dot(&[c], &[c])?)?;
    let scale = evaluator.scale_of(&square);
    evaluator.rescale_by(&evaluator.combine(&[(2.0, &square)], -1.0, scale)?, PRIMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_exact_on_the_whole_interval() {
        let eval_mod = EvalMod::new(32);
        let bound = eval_mod.bound;
        for i in -16_500..=16_500 {
            let t = f64::from(i) / 1000.0;
            let y = (t - 0.25) / bound;
            let c = eval_mod.cosine.value(2.0 * y * y - 1.0);
            let sine = (0..DOUBLINGS).fold(c, |c, _| 2.0 * c * c - 1.0);
            assert!((sine - (TAU * t).sin()).abs() < 1e-12, "{t}: {sine}");
        }
    }
}
