//! The canonical embedding: slots `z_j = m(zeta^(5^j))`, `zeta = exp(i pi / N)` (Cheon, Kim, Kim, Song, ePrint 2016/421).

use crate::{Complex64, roots::roots_of_unity};

/// Transforms between slots and real coefficients for one ring degree.
pub struct Encoder {
    degree: usize,
    /// `roots[len + j] = exp(2 pi i (5^j mod 4 len') / (4 len'))` for the butterflies of half-length `len = len'/2`.
    roots: Vec<Complex64>,
}

impl Encoder {
    pub(crate) fn new(degree: usize) -> Self {
        let slots = degree / 2;
        let all = roots_of_unity(2 * degree);
        let mut roots = vec![Complex64::ONE; slots.max(2)];
        let mut half = 1;
        while half < slots {
            let order = 8 * half;
            let mut power = 1;
            for root in &mut roots[half..2 * half] {
                *root = all[power * (all.len() / order)];
                power = power * 5 % order;
            }
            half *= 2;
        }
        Self { degree, roots }
    }

    /// The factors of the butterflies of half-length `half` in [`Encoder::slots`], a power of two below `N/2`: `(a, b)` become
    /// `(a + r b, a - r b)`, where `a` stands at a position with remainder `j` below `half` modulo `2 half`, `b` at `half` after it, and `r`
    /// is the `j`-th factor.
    pub fn butterfly(&self, half: usize) -> &[Complex64] {
        &self.roots[half..2 * half]
    }

    /// The real coefficients of the polynomial whose slots are `slots`.
    ///
    /// Takes `N/2` slots, or a smaller power of two `n`: then the slots repeat with period `n` and only every
    /// `N/(2n)`-th coefficient is not zero (the subring of `X^(N/2n)`).
    ///
    /// # Panics
    /// When the number of slots is no power of two up to `N/2`.
    pub fn coefficients(&self, slots: &[Complex64]) -> Vec<f64> {
        let count = slots.len();
        assert!(
            count.is_power_of_two() && count <= self.degree / 2,
            "{count} slots at N = {}",
            self.degree
        );
        let mut values = slots.to_vec();
        let mut half = count / 2;
        while half >= 1 {
            let roots = &self.roots[half..2 * half];
            for group in values.chunks_exact_mut(2 * half) {
                let (low, high) = group.split_at_mut(half);
                for ((a, b), root) in low.iter_mut().zip(high).zip(roots) {
                    (*a, *b) = (*a + *b, (*a - *b) * root.conj());
                }
            }
            half /= 2;
        }
        bit_reverse(&mut values);
        let gap = self.degree / 2 / count;
        let mut coefficients = vec![0.0; self.degree];
        for (j, value) in values.into_iter().enumerate() {
            coefficients[j * gap] = value.re / count as f64;
            coefficients[self.degree / 2 + j * gap] = value.im / count as f64;
        }
        coefficients
    }

    /// All `N/2` slots of the polynomial with these real coefficients.
    ///
    /// # Panics
    /// When there are not `N` coefficients.
    pub fn slots(&self, coefficients: &[f64]) -> Vec<Complex64> {
        assert_eq!(coefficients.len(), self.degree);
        let (real, imaginary) = coefficients.split_at(self.degree / 2);
        let mut values: Vec<Complex64> = real
            .iter()
            .zip(imaginary)
            .map(|(&re, &im)| Complex64::new(re, im))
            .collect();
        bit_reverse(&mut values);
        let mut half = 1;
        while 2 * half <= values.len() {
            let roots = &self.roots[half..2 * half];
            for group in values.chunks_exact_mut(2 * half) {
                let (low, high) = group.split_at_mut(half);
                for ((a, b), root) in low.iter_mut().zip(high).zip(roots) {
                    let product = *b * root;
                    (*a, *b) = (*a + product, *a - product);
                }
            }
            half *= 2;
        }
        values
    }
}

fn bit_reverse(values: &mut [Complex64]) {
    let count = values.len();
    if count < 2 {
        return;
    }
    let shift = usize::BITS - count.trailing_zeros();
    for i in 0..count {
        let j = i.reverse_bits() >> shift;
        if i < j {
            values.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn slots(count: usize) -> Vec<Complex64> {
        (0..count)
            .map(|i| Complex64::new((i as f64 * 0.7).sin(), (i as f64 * 1.3).cos()))
            .collect()
    }

    #[test]
    fn slots_are_values_at_powers_of_five() {
        let degree = 64;
        let encoder = Encoder::new(degree);
        let want = slots(degree / 2);
        let coefficients = encoder.coefficients(&want);
        let mut power = 1;
        for z in &want {
            let at = Complex64::cis(PI * power as f64 / degree as f64);
            let value: Complex64 = coefficients
                .iter()
                .rev()
                .fold(Complex64::ZERO, |sum, &c| sum * at + c);
            assert!((value - z).norm() < 1e-12);
            power = power * 5 % (2 * degree);
        }
    }

    #[test]
    fn few_slots_repeat_and_live_in_the_subring() {
        let encoder = Encoder::new(128);
        for count in [1, 2, 16, 32, 64] {
            let want = slots(count);
            let coefficients = encoder.coefficients(&want);
            assert!(
                coefficients
                    .iter()
                    .enumerate()
                    .all(|(i, &c)| c == 0.0 || i % (64 / count) == 0)
            );
            for (j, z) in encoder.slots(&coefficients).iter().enumerate() {
                assert!((z - want[j % count]).norm() < 1e-12);
            }
        }
    }
}
