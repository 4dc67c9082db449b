//! Polynomials of a ciphertext, the same in every slot: Chebyshev basis, baby steps and giant steps (Paterson, Stockmeyer, 1973; in this form
//! Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux, ePrint 2020/1203).
//!
//! `p = q T_g + r` with `g` a power of two: `p` is needed unrescaled at an exact scale `S`, so `q` is made at the scale `S / scale(T_g)`
//! and `r` at `S`; sums never meet two scales, and a polynomial of degree below `2^k` takes `k` rescales.

mod power_basis;

use crate::{CircuitError, Evaluator};
use power_basis::PowerBasis;
use std::f64::consts::PI;

/// `sum_i c_i T_i` with real coefficients.
#[derive(Clone, Debug, PartialEq)]
pub struct Chebyshev(Vec<f64>);

/// A sum not yet rescaled, and whether it has the three parts of a product.
struct Raw<C> {
    sum: C,
    product: bool,
}

impl Chebyshev {
    /// The polynomial of these coefficients, that of `T_0` first.
    pub fn new(coefficients: Vec<f64>) -> Self {
        Self(coefficients)
    }

    /// Interpolates `f` on `[-1, 1]` at the `degree + 1` roots of `T_(degree+1)`.
    pub fn interpolate(degree: usize, f: impl Fn(f64) -> f64) -> Self {
        let count = degree + 1;
        let angle = |j: usize| PI * (j as f64 + 0.5) / count as f64;
        let values: Vec<f64> = (0..count).map(|j| f(angle(j).cos())).collect();
        let coefficient = |i: usize| {
            let terms = values.iter().enumerate();
            let sum: f64 = terms.map(|(j, y)| y * (i as f64 * angle(j)).cos()).sum();
            sum * if i == 0 { 1.0 } else { 2.0 } / count as f64
        };
        Self((0..count).map(coefficient).collect())
    }

    /// The degree.
    pub fn degree(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Rescales from the argument to the value.
    pub fn depth(&self) -> usize {
        (self.degree() + 1).next_power_of_two().ilog2().max(1) as usize
    }

    /// The value at `x`, by Clenshaw's rule.
    pub fn value(&self, x: f64) -> f64 {
        let (last, before) = self
            .0
            .iter()
            .rev()
            .fold((0.0, 0.0), |(b1, b2), c| (c + 2.0 * x * b1 - b2, b1));
        last - x * before
    }

    /// The value at `x`, whose slots lie in `[-1, 1]`, at `scale`: [`Chebyshev::depth`] rescales by `primes` primes each.
    pub fn evaluate<E: Evaluator>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
        primes: usize,
        scale: f64,
    ) -> Result<E::Ciphertext, CircuitError> {
        let depth = self.depth();
        // As many products with more, but more relinearisations: those of remainders wait for a sum.
        let babies = 1 << (depth / 2).max(1);
        let mut powers = PowerBasis::new(evaluator, x, primes);
        let needed = primes * depth;
        let at = evaluator.level_of(x) as i64 - primes as i64 * (depth as i64 - 1);
        let Ok(at @ 1..) = usize::try_from(at) else {
            // The first rescale that finds no level says so.
            evaluator.rescale_by(x, needed)?;
            return Err(CircuitError::NoTerms("polynomial"));
        };
        let unrescaled = scale * powers.primes_below(at);
        let raw = self.raw(&mut powers, babies, at, unrescaled)?;
        powers.rescaled(raw)
    }

    /// The value at level `at`, a rescale before it is at its scale: at `scale`, unrescaled.
    fn raw<E: Evaluator>(
        &self,
        powers: &mut PowerBasis<'_, E>,
        babies: usize,
        at: usize,
        scale: f64,
    ) -> Result<Raw<E::Ciphertext>, CircuitError> {
        let degree = self.degree();
        if degree < babies && powers.level(degree) >= at {
            return powers.combination(&self.0, at, scale);
        }
        let giant = 1 << degree.ilog2();
        let (quotient, remainder) = self.divided(giant);
        let above = at + powers.primes();
        powers.power(giant)?;
        let quotient_scale = scale / powers.scale(giant) * powers.primes_below(above);
        let quotient = quotient.raw(powers, babies, above, quotient_scale)?;
        let quotient = powers.rescaled(quotient)?;
        let product = powers.product(&quotient, giant)?;
        let remainder = remainder.raw(powers, babies, at, scale)?;
        powers.sum(product, remainder)
    }

    /// `(q, r)` with `p = q T_g + r`, both of degree below `g`, for a degree below `2 g`: `T_(g+i) = 2 T_g T_i - T_(g-i)`.
    fn divided(&self, giant: usize) -> (Self, Self) {
        let (low, high) = self.0.split_at(giant);
        let mut remainder = low.to_vec();
        let mut quotient = high.to_vec();
        for i in 1..quotient.len() {
            remainder[giant - i] -= quotient[i];
            quotient[i] *= 2.0;
        }
        (Self(quotient), Self(remainder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_and_division_keep_the_function() {
        let f = |x: f64| (7.0 * x).cos() + x / 3.0;
        let polynomial = Chebyshev::interpolate(40, f);
        let (quotient, remainder) = polynomial.divided(32);
        assert_eq!((quotient.degree(), remainder.degree()), (8, 31));
        for i in -50..=50 {
            let x = i as f64 / 50.0;
            let giant = (32.0 * x.acos()).cos();
            let divided = quotient.value(x) * giant + remainder.value(x);
            assert!((polynomial.value(x) - f(x)).abs() < 1e-13);
            assert!((divided - f(x)).abs() < 1e-12);
        }
    }
}
