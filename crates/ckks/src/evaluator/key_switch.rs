//! Hybrid key switching (Han, Ki, ePrint 2019/688): decompose into digits, lift each digit to `Q P`, multiply by the key, divide by `P`.

use super::Evaluator;
use crate::keys::SwitchingKey;
use ring::{BaseConversion, Basis, Poly, both, for_each_pair, with_scratch};
use std::ops::Range;

/// A digit of a polynomial, lifted to all primes of a key.
pub(super) struct Digit {
    /// The digit's own primes: there it is the polynomial itself, and the limbs of `lifted` are unspecified.
    pub(super) own: Range<usize>,
    /// By coefficients.
    pub(super) lifted: Poly,
}

impl Evaluator<'_> {
    /// `(c_0, c_1)` with `c_0 + c_1 s = a s'`, up to noise, for the key from `s'` to `s`.
    pub(super) fn switch(&self, a: &Poly, key: &SwitchingKey) -> (Poly, Poly) {
        let basis = Basis {
            p: key.special(),
            ..a.basis()
        };
        let digits = self.decompose(a, basis);
        let (ring, degree) = (self.parameters.ring(), self.parameters.degree());
        let (mut c0, mut c1) = (ring.stale(basis), ring.stale(basis));
        for_each_pair(c0.data_mut(), c1.data_mut(), degree, |i, out0, out1| {
            with_scratch(degree * digits.len(), |scratch| {
                let lifted: Vec<&[u32]> = digits
                    .iter()
                    .zip(scratch.chunks_exact_mut(degree))
                    .map(|(digit, evaluations)| {
                        if digit.own.contains(&i) {
                            return a.limb(i);
                        }
                        evaluations.copy_from_slice(digit.lifted.limb(i));
                        ring.kernel(basis, i).forward(evaluations);
                        evaluations
                    })
                    .collect();
                self.multiply_limb(&lifted, key, basis, i, out0, out1);
            });
        });
        self.mod_down(&c0, &c1)
    }

    /// The digits of `a`, lifted to the key's primes.
    pub(super) fn decompose(&self, a: &Poly, basis: Basis) -> Vec<Digit> {
        let ring = self.parameters.ring();
        let level = a.basis().q - 1;
        let digits: Vec<(Range<usize>, &BaseConversion)> = self
            .parameters
            .digit_ranges(level)
            .enumerate()
            .map(|(d, own)| (own.clone(), self.parameters.digit_conversion(d, own.len())))
            .collect();
        let mut inputs = ring.stale(a.basis());
        ring.each(&mut inputs, |_, i, limb| {
            let (own, conversion) = &digits[i / self.parameters.literal().digit];
            conversion.input(ring, i - own.start, a.limb(i), limb);
        });
        let inputs: Vec<&[u32]> = inputs.limbs().collect();
        digits
            .into_iter()
            .map(|(own, conversion)| {
                let mut lifted = ring.stale(basis);
                conversion.convert(ring, &inputs[own.clone()], &mut lifted, own.clone());
                Digit { own, lifted }
            })
            .collect()
    }

    /// The inner product of lifted digits and a key, on one limb.
    pub(super) fn multiply_limb(
        &self,
        lifted: &[&[u32]],
        key: &SwitchingKey,
        basis: Basis,
        i: usize,
        out0: &mut [u32],
        out1: &mut [u32],
    ) {
        let kernel = self.parameters.ring().kernel(basis, i);
        // A key for a higher level has more primes of the chain before the special ones.
        let at = if i < basis.q {
            i
        } else {
            key.spec.level + 1 + i - basis.q
        };
        let digits = &key.digits[..lifted.len()];
        let bodies: Vec<&[u32]> = digits.iter().map(|(body, _)| body.limb(at)).collect();
        let masks: Vec<&[u32]> = digits.iter().map(|(_, mask)| mask.limb(at)).collect();
        kernel.dot(out0, lifted, &bodies);
        kernel.dot(out1, lifted, &masks);
    }

    /// Divides both by their special primes with rounding.
    pub(super) fn mod_down(&self, c0: &Poly, c1: &Poly) -> (Poly, Poly) {
        self.divide_both(c0, c1, self.parameters.mod_down_conversion(c0.basis().p))
    }

    /// Divides both by the product of the last primes with rounding.
    pub(super) fn divide_both(
        &self,
        c0: &Poly,
        c1: &Poly,
        conversion: &BaseConversion,
    ) -> (Poly, Poly) {
        let divide = |part| self.parameters.ring().divide_round(part, conversion);
        both(|| divide(c0), || divide(c1))
    }
}
