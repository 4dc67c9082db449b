//! Sums with constant factors, the same in every slot: integers multiply without any encoding, key or level.

use super::{Evaluator, MAX_TERMS};
use crate::{Ciphertext, EvaluatorError};
use ring::Factor;

/// Integers up to here are reduced modulo the primes: scales of two levels with two primes each.
const MAX_INTEGER: f64 = (1u128 << 125) as f64;

impl Evaluator<'_> {
    /// `sum_k factor_k a_k + constant` at `scale`, for at most 16 two-part terms of any scales, at the lowest of their levels.
    ///
    /// Each factor is rounded to a multiple of (scale of the term) / `scale`, and the constant to one of 1 / `scale`.
    pub fn combine(
        &self,
        terms: &[(f64, &Ciphertext)],
        constant: f64,
        scale: f64,
    ) -> Result<Ciphertext, EvaluatorError> {
        if terms.len() > MAX_TERMS {
            return Err(EvaluatorError::Terms(terms.len()));
        }
        terms.iter().try_for_each(|(_, a)| Self::two_parts(a))?;
        let level = terms.iter().map(|(_, a)| a.level()).min();
        let level = level.ok_or(EvaluatorError::Terms(0))?;
        self.scale_fits(scale, level)?;
        let factors = terms
            .iter()
            .map(|(factor, a)| integer(factor * scale / a.scale))
            .collect::<Result<Vec<_>, _>>()?;
        let constant = integer(constant * scale)?;
        let ring = self.parameters.ring();
        let parts = (0..2)
            .map(|part| {
                let mut out = ring.stale(self.parameters.basis(level));
                ring.each(&mut out, |kernel, i, limb| {
                    let modulus = kernel.modulus();
                    let limbs: Vec<&[u32]> =
                        terms.iter().map(|(_, a)| a.parts[part].limb(i)).collect();
                    let factors: Vec<Factor> = factors
                        .iter()
                        .map(|&f| modulus.factor(modulus.from_i128(f)))
                        .collect();
                    kernel.combine(limb, &limbs, &factors);
                    if part == 0 && constant != 0 {
                        let constant = modulus.from_i128(constant);
                        limb.iter_mut().for_each(|x| *x = modulus.add(*x, constant));
                    }
                });
                out
            })
            .collect();
        Ok(Ciphertext { parts, scale })
    }
}

fn integer(x: f64) -> Result<i128, EvaluatorError> {
    let rounded = x.round();
    if rounded.abs() < MAX_INTEGER {
        Ok(rounded as i128)
    } else {
        Err(EvaluatorError::Constant(x))
    }
}
