//! SlotsToCoeffs: the slots become the coefficients of the message, at the lowest levels, before the modulus is raised.
//!
//! Slots first saves time: the transform works on five primes and fewer, and what is raised is the message itself, so that EvalMod's input
//! has the size of the slots whatever they are, not of their transform.

use super::{
    BootstrappingSettings,
    fourier::{Direction, factors},
    stage::Stage,
};
use crate::{CircuitError, Evaluator};
use ckks::Parameters;

/// The transform and the scale it begins at.
pub(super) struct SlotsToCoeffs<P> {
    stages: Vec<Stage<P>>,
    scale: f64,
    /// The level it begins at.
    pub(super) level: usize,
}

impl<P> SlotsToCoeffs<P> {
    /// Ends at the base level and near the scale `end`.
    pub(super) fn new(
        parameters: &Parameters,
        settings: &BootstrappingSettings,
        base: usize,
        end: f64,
    ) -> Self {
        let layers = &settings.slots_to_coeffs;
        let (level, bottom) = (base - 1 + layers.len(), base - 1);
        let chain: f64 = (base..=level).map(|l| parameters.prime(l).log2()).sum();
        // Rotations add 2^16 to a slot: 25 bits below a message of 2^41.
        let start = end / settings.growth.exp2();
        let plain = ((end / start).log2() + chain) / layers.len() as f64;
        debug_assert!(level > bottom);
        let factors = factors(parameters, settings.slots, layers, Direction::Forward, 1.0);
        let stages = factors
            .into_iter()
            .map(|factor| Stage::new(factor, settings.babies, plain.exp2(), 1, |d| d))
            .collect();
        Self {
            stages,
            scale: start,
            level,
        }
    }

    pub(super) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let lifted = self.lifted(evaluator, x)?;
        self.stages
            .iter()
            .try_fold(lifted, |x, stage| stage.evaluate(evaluator, &x))
    }

    /// At the scale and level of the first stage: an integer multiplies scale and message, which costs nothing.
    fn lifted<E: Evaluator>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let (level, scale) = (evaluator.level_of(x), evaluator.scale_of(x));
        let spare = level > self.level;
        let target = match spare {
            true => self.scale * evaluator.prime(self.level + 1),
            false => self.scale,
        };
        let factor = (target / scale).round().max(1.0);
        let x = match spare {
            true => evaluator.drop_to(x, self.level + 1)?,
            false => x.clone(),
        };
        let x = evaluator.combine(&[(1.0, &x)], 0.0, scale * factor)?;
        match spare {
            true => evaluator.rescale(&x),
            false => Ok(x),
        }
    }
}
