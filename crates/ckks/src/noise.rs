//! How far a slot can be off after one operation: bounds that hold except with probability 2^-40 for all slots together.
//!
//! An error polynomial whose coefficients are independent with variance `V` gives slots that are complex Gaussian with
//! variance `N V` (the canonical embedding is an isometry up to `sqrt N`); the largest of `N/2` of them exceeds
//! `sqrt(N V (ln(N/2) + 40 ln 2))` with probability at most 2^-40. Rounding contributes 1/12 a coefficient, times
//! `1 + |s|^2 = 1 + 2N/3` where the rounded part meets a uniform ternary secret (Cheon et al., ePrint 2018/931, section 4).

use crate::Parameters;

/// Variance of the centred binomial error.
const ERROR: f64 = 10.5;

/// Bounds on the absolute error of a slot, before division by the scale.
impl Parameters {
    /// A fresh ciphertext: the error, and the rounding of the encoder.
    pub fn fresh_noise(&self) -> f64 {
        self.largest_slot(ERROR + 1.0 / 12.0)
    }

    /// What a rescale adds.
    pub fn rescale_noise(&self) -> f64 {
        self.largest_slot(self.rounding())
    }

    /// What a rotation, a conjugation or a relinearisation at `level` adds: the gadget's errors divided by `P`, and the rounding.
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
        self.largest_slot(self.degree() as f64 * gadget * ERROR + self.rounding())
    }

    fn rounding(&self) -> f64 {
        (1.0 + 2.0 / 3.0 * self.degree() as f64) / 12.0
    }

    fn largest_slot(&self, variance: f64) -> f64 {
        let tail = (self.slots() as f64).ln() + 40.0 * std::f64::consts::LN_2;
        (self.degree() as f64 * variance * tail).sqrt()
    }
}
