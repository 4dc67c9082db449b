//! Operations on ciphertexts. Every operation checks levels and scales; none needs or sees a secret.

mod arithmetic;
mod combine;
mod encapsulate;
mod key_switch;
mod multiply;
mod rescale;
mod rotate;

pub use encapsulate::Encapsulated;
pub use rotate::Hoisted;

use crate::{Ciphertext, EvaluationKeySet, EvaluatorError, Parameters};

/// Computes on ciphertexts with the evaluation keys of one client.
pub struct Evaluator<'k> {
    parameters: Parameters,
    keys: &'k EvaluationKeySet,
}

/// Terms that one sum takes: sixteen products of residues fit 64 bits.
const MAX_TERMS: usize = 16;

/// Scales are products and quotients of primes near 2^30 in doubles; equal ones agree to many more bits than this.
const SCALE_TOLERANCE: f64 = 1e-9;

impl<'k> Evaluator<'k> {
    /// An evaluator with `keys`.
    pub fn new(parameters: &Parameters, keys: &'k EvaluationKeySet) -> Self {
        Self {
            parameters: parameters.clone(),
            keys,
        }
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn same_scale(a: f64, b: f64) -> Result<(), EvaluatorError> {
        if (a / b - 1.0).abs() < SCALE_TOLERANCE {
            Ok(())
        } else {
            Err(EvaluatorError::ScaleMismatch(a, b))
        }
    }

    /// Leaves a bit for the sign and one for the message.
    fn scale_fits(&self, scale: f64, level: usize) -> Result<(), EvaluatorError> {
        if scale.log2() + 2.0 < self.parameters.log_q(level) {
            Ok(())
        } else {
            Err(EvaluatorError::ScaleOverflow { scale, level })
        }
    }

    fn two_parts(ciphertext: &Ciphertext) -> Result<(), EvaluatorError> {
        match ciphertext.parts() {
            2 => Ok(()),
            found => Err(EvaluatorError::Degree { expected: 2, found }),
        }
    }

    /// One scale of a sum's operands, and the lowest level.
    fn common<'c>(
        mut operands: impl Iterator<Item = &'c Ciphertext>,
    ) -> Result<(f64, usize), EvaluatorError> {
        let first = operands.next().ok_or(EvaluatorError::Terms(0))?;
        operands.try_fold((first.scale, first.level()), |(scale, level), next| {
            Self::same_scale(scale, next.scale)?;
            Ok((scale, level.min(next.level())))
        })
    }
}
