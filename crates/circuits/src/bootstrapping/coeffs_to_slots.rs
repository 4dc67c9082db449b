//! CoeffsToSlots: the coefficients of the raised message become slots, real numbers to be reduced modulo the base.

use super::{
    BootstrappingSettings,
    fourier::{Direction, factors},
    stage::Stage,
};
use crate::{CircuitError, Evaluator};
use ckks::{Complex64, Parameters};

/// The transform from the highest level on, two primes a factor.
pub(super) struct CoeffsToSlots<P> {
    stages: Vec<Stage<P>>,
    slots: usize,
    parts: Parts,
}

/// What comes of the complex numbers that the coefficients are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// Real parts in one ciphertext, imaginary parts in another.
    Both,
    /// Where the slots are few, both in one ciphertext.
    Beside,
    /// Of real slots, only the real parts: the others are multiples of the base.
    Real,
}

/// Primes of one factor's rescale.
const PRIMES: usize = 2;

impl<P> CoeffsToSlots<P> {
    /// From the scale `start` to near `end`.
    pub(super) fn new(
        parameters: &Parameters,
        settings: &BootstrappingSettings,
        start: f64,
        end: f64,
    ) -> Self {
        let (slots, layers) = (settings.slots, &settings.coeffs_to_slots);
        let top = parameters.max_level();
        let chain: f64 = (top + 1 - PRIMES * layers.len()..=top)
            .map(|level| parameters.prime(level).log2())
            .sum();
        let plain = ((end / start).log2() + chain) / layers.len() as f64;
        // Half of u + conj(u) is the real part, and the trace to the subring multiplies by the degree over it.
        let parts = match settings.real {
            true => Parts::Real,
            false if slots == parameters.slots() => Parts::Both,
            false => Parts::Beside,
        };
        let weight = 0.5 * slots as f64 / parameters.slots() as f64;
        let factors = factors(parameters, slots, layers, Direction::Backward, weight);
        let last = layers.len() - 1;
        let stages = factors
            .into_iter()
            .enumerate()
            .map(|(k, factor)| {
                let split = k == last && parts == Parts::Beside;
                let finish = move |diagonal: Vec<Complex64>| match split {
                    true => beside_its_imaginary_part(diagonal),
                    false => diagonal,
                };
                Stage::new(factor, settings.babies, plain.exp2(), PRIMES, finish)
            })
            .collect();
        Self {
            stages,
            slots,
            parts,
        }
    }

    /// Real parts in the first ciphertext and imaginary parts in the second, if any; where the slots are few, both in one, beside each other.
    pub(super) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<Vec<E::Ciphertext>, CircuitError> {
        let mut x = x.clone();
        let mut step = self.slots;
        while step < evaluator.slots() {
            x = evaluator.add(&x, &evaluator.rotate(&x, step as i64)?)?;
            step *= 2;
        }
        let x = self
            .stages
            .iter()
            .try_fold(x, |x, stage| stage.evaluate(evaluator, &x))?;
        let conjugate = evaluator.conjugate(&x)?;
        let mut parts = vec![evaluator.add(&x, &conjugate)?];
        if self.parts == Parts::Both {
            parts.push(evaluator.mul_i(&evaluator.sub(&conjugate, &x)?)?);
        }
        Ok(parts)
    }
}

/// Twice as many slots, the second half turned by `-i`: its real part is the imaginary part of the first.
fn beside_its_imaginary_part(mut diagonal: Vec<Complex64>) -> Vec<Complex64> {
    let turned: Vec<Complex64> = diagonal.iter().map(|z| -z * Complex64::I).collect();
    diagonal.extend(turned);
    diagonal
}
