//! One sparse factor of a transform as a circuit.

use super::fourier::Factor;
use crate::{
    CircuitError, Evaluator, LinearTransform, Steps, linear_transform::sum_of_products, rotations,
};
use ckks::Complex64;

/// A factor, the scale of its diagonals and the primes it is rescaled by.
pub(super) struct Stage<P> {
    map: LinearTransform<P>,
    scale: f64,
    primes: usize,
}

impl<P> Stage<P> {
    /// Diagonals as `finish` makes them of the factor's; `babies` is the number of baby steps, the zeroth counted.
    pub(super) fn new(
        factor: Factor,
        babies: usize,
        scale: f64,
        primes: usize,
        finish: impl Fn(Vec<Complex64>) -> Vec<Complex64> + Send + Sync + 'static,
    ) -> Self {
        let babies = babies.min(factor.count());
        let steps = Steps {
            baby: factor.stride as i64,
            babies,
            giant: (factor.stride * babies) as i64,
            giants: factor.count().div_ceil(babies),
        };
        Self {
            map: LinearTransform::new(steps, move |rotation| finish(factor.diagonal(rotation))),
            scale,
            primes,
        }
    }

    pub(super) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let steps = self.map.steps();
        let babies = rotations(evaluator, x, steps.baby, steps.babies)?;
        let target = evaluator.scale_of(x) * self.scale;
        let sum = sum_of_products(evaluator, &[(&self.map, &babies)], target)?;
        evaluator.rescale_by(&sum, self.primes)
    }
}
