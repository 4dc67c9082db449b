//! The Chebyshev polynomials of a ciphertext: `T_n = 2 T_a T_b - T_(a-b)` with `a` and `b` the halves of `n`, so that `T_n` takes
//! `log2 n` rescales, rounded up.

use super::Raw;
use crate::{CircuitError, Evaluator};
use std::collections::BTreeMap;

/// What has been computed of it so far.
pub(super) struct PowerBasis<'e, E: Evaluator> {
    evaluator: &'e E,
    powers: BTreeMap<usize, E::Ciphertext>,
    primes: usize,
}

impl<'e, E: Evaluator> PowerBasis<'e, E> {
    pub(super) fn new(evaluator: &'e E, x: &E::Ciphertext, primes: usize) -> Self {
        Self {
            evaluator,
            powers: BTreeMap::from([(1, x.clone())]),
            primes,
        }
    }

    /// Primes of a rescale.
    pub(super) fn primes(&self) -> usize {
        self.primes
    }

    /// The product of the primes that a rescale from `level` divides by.
    pub(super) fn primes_below(&self, level: usize) -> f64 {
        let primes = (0..self.primes).map(|i| self.evaluator.prime(level.saturating_sub(i)));
        primes.product()
    }

    /// The scale of `T_n`, which has been computed.
    pub(super) fn scale(&self, n: usize) -> f64 {
        self.evaluator.scale_of(&self.powers[&n])
    }

    /// The lowest level among `T_1 .. T_n`.
    pub(super) fn level(&self, n: usize) -> usize {
        let top = self.evaluator.level_of(&self.powers[&1]);
        let depth = n.max(1).next_power_of_two().ilog2() as usize;
        top.saturating_sub(self.primes * depth)
    }

    /// Computes `T_n`.
    pub(super) fn power(&mut self, n: usize) -> Result<(), CircuitError> {
        if self.powers.contains_key(&n) {
            return Ok(());
        }
        let (larger, smaller) = (n.div_ceil(2), n / 2);
        self.power(larger)?;
        self.power(smaller)?;
        let (a, b) = (&self.powers[&larger], &self.powers[&smaller]);
        let evaluator = self.evaluator;
        let product = evaluator.relinearize(&evaluator.dot(&[a], &[b])?)?;
        let scale = evaluator.scale_of(&product);
        let first = &self.powers[&1];
        let sum = match n % 2 {
            0 => evaluator.combine(&[(2.0, &product)], -1.0, scale)?,
            _ => evaluator.combine(&[(2.0, &product), (-1.0, first)], 0.0, scale)?,
        };
        let power = evaluator.rescale_by(&sum, self.primes)?;
        self.powers.insert(n, power);
        Ok(())
    }

    /// `sum_i coefficients[i] T_i` at a level and a scale.
    pub(super) fn combination(
        &mut self,
        coefficients: &[f64],
        level: usize,
        scale: f64,
    ) -> Result<Raw<E::Ciphertext>, CircuitError> {
        let (constant, rest) = coefficients
            .split_first()
            .ok_or(CircuitError::NoTerms("polynomial"))?;
        for i in 1..=rest.len() {
            self.power(i)?;
        }
        // One term at the level brings the sum there.
        let low = self.evaluator.drop_to(&self.powers[&1], level)?;
        let first = rest.first().copied().unwrap_or(0.0);
        let mut terms = vec![(first, &low)];
        for (i, &c) in rest.iter().enumerate().skip(1).filter(|&(_, &c)| c != 0.0) {
            terms.push((c, &self.powers[&(i + 1)]));
        }
        Ok(Raw {
            sum: self.evaluator.combine(&terms, *constant, scale)?,
            product: false,
        })
    }

    /// `a T_n`, for a `T_n` that has been computed.
    pub(super) fn product(
        &self,
        a: &E::Ciphertext,
        n: usize,
    ) -> Result<Raw<E::Ciphertext>, CircuitError> {
        Ok(Raw {
            sum: self.evaluator.dot(&[a], &[&self.powers[&n]])?,
            product: true,
        })
    }

    pub(super) fn sum(
        &self,
        a: Raw<E::Ciphertext>,
        b: Raw<E::Ciphertext>,
    ) -> Result<Raw<E::Ciphertext>, CircuitError> {
        Ok(Raw {
            sum: self.evaluator.add(&a.sum, &b.sum)?,
            product: a.product || b.product,
        })
    }

    pub(super) fn rescaled(&self, raw: Raw<E::Ciphertext>) -> Result<E::Ciphertext, CircuitError> {
        let sum = match raw.product {
            true => self.evaluator.relinearize(&raw.sum)?,
            false => raw.sum,
        };
        self.evaluator.rescale_by(&sum, self.primes)
    }
}
