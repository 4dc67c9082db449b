//! How far a slot can be off after one operation: bounds each of whose terms (three for a key switch, two for a rescale, one elsewhere)
//! holds except with probability 2^-40 for all slots together.
//!
//! A polynomial whose coefficients are independent with variance `V` has slots that are complex Gaussian with variance `N V`
//! (the canonical embedding is an isometry up to `sqrt N`): the largest of `N/2` of them exceeds `sqrt(N V t)`,
//! `t = ln(N/2) + 40 ln 2`, with probability at most 2^-40. The product of two such polynomials, rounding errors and the secret
//! for one, has slots that are products of two Gaussians, with a heavier tail: `P(|x y| > r sqrt(var x var y)) = 2 r K_1(2 r)`, which
//! is below `e^-t` for `r = t/2 + 2`.
//!
//! [`crate::SlotBound`] carries these bounds through a computation; operations that it takes without a term from here (sums, products,
//! the imaginary unit, dropping primes) are exact on the encrypted polynomials.

use crate::Parameters;

/// Variance of the centred binomial error.
const ERROR: f64 = 10.5;

/// Bounds on the absolute error of a slot, before division by the scale.
impl Parameters {
    /// A fresh ciphertext: the error, and the rounding of the encoder.
    pub fn fresh_noise(&self) -> f64 {
        self.largest_slot(ERROR + 1.0 / 12.0)
    }

    /// A plaintext: the rounding of the encoder.
    pub fn encoding_noise(&self) -> f64 {
        self.largest_slot(1.0 / 12.0)
    }

    /// What a rescale adds.
    pub fn rescale_noise(&self) -> f64 {
        self.rounding()
    }

    /// What a rotation (hoisted or not), a conjugation or a relinearisation at `level` adds: the gadget's errors divided by `P`, and
    /// the rounding.
    ///
    /// A lifted digit is a sum of as many uniform fractions of the digit's modulus as it has primes.
    pub fn key_switch_noise(&self, level: usize) -> f64 {
        let log = |primes: &[u32]| primes.iter().map(|&p| (p as f64).log2()).sum::<f64>();
        let special = log(&self.literal().special);
        let gadget: f64 = self
            .digit_ranges(level)
            .map(|range| {
                let count = range.len() as f64;
                let ratio = (log(&self.literal().chain[range]) - special).exp2();
                (count * count / 4.0 + count / 12.0) * ratio * ratio
            })
            .sum();
        self.largest_product(gadget, ERROR) + self.rounding()
    }

    /// Rounding of both parts: 1/12 a coefficient, one of them times a uniform ternary secret.
    fn rounding(&self) -> f64 {
        self.largest_slot(1.0 / 12.0) + self.largest_product(1.0 / 12.0, 2.0 / 3.0)
    }

    fn largest_slot(&self, variance: f64) -> f64 {
        (self.degree() as f64 * variance * self.tail()).sqrt()
    }

    fn largest_product(&self, first: f64, second: f64) -> f64 {
        (self.tail() / 2.0 + 2.0) * self.degree() as f64 * (first * second).sqrt()
    }

    fn tail(&self) -> f64 {
        (self.slots() as f64).ln() + 40.0 * std::f64::consts::LN_2
    }
}
