//! Bootstrapping: a ciphertext at a low level becomes one at a high level with the same message.
//!
//! ```text
//! SlotsToCoeffs   slots z -> coefficients z                     levels 4 .. 1, one prime a factor
//! ModRaise        z -> z + Q I by way of a sparse secret        level 1 -> top
//! CoeffsToSlots   coefficients -> slots, real and imaginary     top - 6, two primes a factor
//! EvalMod         z + Q I -> sin(2 pi z / Q), scaled: z         16 primes, two a level
//! ```

mod coeffs_to_slots;
mod eval_mod;
mod fourier;
mod settings;
mod slots_to_coeffs;
mod stage;

#[cfg(test)]
mod tests;

pub use settings::BootstrappingSettings;

use crate::{CircuitError, Evaluator};
use ckks::{Complex64, Parameters};
use coeffs_to_slots::CoeffsToSlots;
use eval_mod::EvalMod;
use slots_to_coeffs::SlotsToCoeffs;
use std::f64::consts::TAU;

/// The circuit, with the diagonals of its transforms, which are encoded when they are first used.
pub struct Bootstrapping<P> {
    slots_to_coeffs: SlotsToCoeffs<P>,
    coeffs_to_slots: CoeffsToSlots<P>,
    eval_mod: EvalMod,
    /// The base modulus `Q`.
    base: f64,
    /// Near the scale that the reduction works at.
    scale: f64,
    /// Base modulus over message, in bits.
    ratio: f64,
    slots: usize,
    /// Whether real and imaginary parts stand beside each other in one ciphertext.
    beside: bool,
}

impl<P> Bootstrapping<P> {
    /// The circuit for a set of parameters that has an ephemeral secret.
    pub fn new(
        parameters: &Parameters,
        settings: &BootstrappingSettings,
    ) -> Result<Self, CircuitError> {
        settings.check(parameters)?;
        let encapsulation = parameters
            .encapsulation()
            .ok_or(CircuitError::Bootstrapping(
                "the parameters have no ephemeral secret",
            ))?;
        let base: f64 = (0..encapsulation.base)
            .map(|i| parameters.prime(i))
            .product();
        let eval_mod = EvalMod::new(encapsulation.weight);
        let transform = 2 * settings.coeffs_to_slots.len();
        let bottom = encapsulation.base - 1 + settings.slots_to_coeffs.len();
        let Some(level) = parameters
            .max_level()
            .checked_sub(transform)
            .filter(|level| level.saturating_sub(EvalMod::LEVELS) > bottom)
        else {
            return Err(CircuitError::Bootstrapping("the chain is too short"));
        };
        let scale = parameters.prime(level) * parameters.prime(level - 1);
        let message = base / settings.ratio.exp2();
        let start = base * eval_mod.bound;
        Ok(Self {
            slots_to_coeffs: SlotsToCoeffs::new(parameters, settings, encapsulation.base, message),
            coeffs_to_slots: CoeffsToSlots::new(parameters, settings, start, scale),
            eval_mod,
            base,
            scale,
            ratio: settings.ratio,
            slots: settings.slots,
            beside: !settings.real && settings.slots < parameters.slots(),
        })
    }

    /// The lowest level that a ciphertext can be refreshed from.
    pub fn lowest_level(&self) -> usize {
        self.slots_to_coeffs.level
    }

    /// How far beyond its bound a value may lie before the sine turns around, in bits. It comes back less exact by twice as many.
    pub fn room(&self) -> f64 {
        self.ratio - 2.0
    }

    /// The same message at a high level and the evaluator's scale. Real and imaginary parts of the slots lie in `[-1, 1]`; they repeat with
    /// the settings' period.
    pub fn refresh<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        self.refresh_to(evaluator, x, evaluator.scale())
    }

    /// The same message at a high level and the scale it has, for real and imaginary parts in `[-bound, bound]`, a power of two.
    pub fn refresh_within<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
        bound: f64,
    ) -> Result<E::Ciphertext, CircuitError> {
        let scale = evaluator.scale_of(x) * bound;
        let small = evaluator.scaled(x, 1.0 / bound);
        let fresh = self.refresh_to(evaluator, &small, scale)?;
        Ok(evaluator.scaled(&fresh, bound))
    }

    fn refresh_to<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
        scale: f64,
    ) -> Result<E::Ciphertext, CircuitError> {
        let z = self.precisely(evaluator, x, scale)?;
        let target = scale * evaluator.prime(evaluator.level_of(&z));
        evaluator.rescale(&evaluator.combine(&[(1.0, &z)], 0.0, target)?)
    }

    /// [`Bootstrapping::refresh`] before its last rescale: one level higher, at a scale that keeps all the precision there is.
    pub fn refresh_precisely<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        self.precisely(evaluator, x, evaluator.scale())
    }

    /// At a scale from which a power of two and a prime lead to `target`.
    fn precisely<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
        target: f64,
    ) -> Result<E::Ciphertext, CircuitError> {
        evaluator.layer("bootstrapping: SlotsToCoeffs");
        let x = self.slots_to_coeffs.evaluate(evaluator, x)?;
        evaluator.layer("bootstrapping: ModRaise");
        let message = evaluator.scale_of(&x);
        let x = evaluator.mod_raise(&x)?;
        // Read as a part of the interval [-B Q, B Q].
        let x = evaluator.scaled(&x, message / (self.base * self.eval_mod.bound));
        evaluator.layer("bootstrapping: CoeffsToSlots");
        let parts = self.coeffs_to_slots.evaluate(evaluator, &x)?;
        evaluator.layer("bootstrapping: EvalMod");
        let factor = self.base / (TAU * message);
        let scale = self.scale_of_sine(evaluator, &parts[0], target * factor);
        let sines = parts
            .iter()
            .map(|part| self.eval_mod.evaluate(evaluator, part, scale))
            .collect::<Result<Vec<_>, _>>()?;
        let z = self.joined(evaluator, &sines)?;
        Ok(evaluator.scaled(&z, factor))
    }

    /// A scale near that of the reduction, from which a power of two and the next prime lead to `target`: an integer factor of eleven bits would be
    /// wrong in the twelfth.
    fn scale_of_sine<E: Evaluator>(&self, evaluator: &E, part: &E::Ciphertext, target: f64) -> f64 {
        let level = evaluator.level_of(part).saturating_sub(EvalMod::LEVELS);
        let last = level.saturating_sub(usize::from(self.beside));
        let exact = target * evaluator.prime(last);
        exact / (exact / self.scale).log2().round().exp2()
    }

    /// Real and imaginary parts as one vector again.
    fn joined<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        parts: &[E::Ciphertext],
    ) -> Result<E::Ciphertext, CircuitError> {
        if let [real, imaginary] = parts {
            return evaluator.add(real, &evaluator.mul_i(imaginary)?);
        }
        let [beside] = parts else {
            return Err(CircuitError::NoTerms("bootstrapping"));
        };
        if !self.beside {
            return Ok(beside.clone());
        }
        let mut units = vec![Complex64::ONE; 2 * self.slots];
        units[self.slots..].fill(Complex64::I);
        let prime = evaluator.prime(evaluator.level_of(beside));
        let units = evaluator.encode(&units, prime)?;
        let turned = evaluator.rescale(&evaluator.dot_plain(&[beside], &[&units])?)?;
        let other = evaluator.rotate(&turned, self.slots as i64)?;
        evaluator.add(&turned, &other)
    }
}
