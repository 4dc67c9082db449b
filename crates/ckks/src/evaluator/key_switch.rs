//! Hybrid key switching (Han, Ki, ePrint 2019/688): decompose into digits, lift each digit to `Q P`, multiply by the key, divide by `P`.

use super::Evaluator;
use crate::keys::SwitchingKey;
use ring::{Basis, Poly, for_each_pair, with_scratch};

/// The digits of a polynomial, not yet lifted.
pub(super) struct Digits<'p> {
    /// The polynomial in evaluation form: what a digit is on its own primes.
    evaluations: &'p Poly,
    /// The inputs of the base conversion, by coefficients.
    scaled: Poly,
}

impl Evaluator<'_> {
    /// `(c_0, c_1)` with `c_0 + c_1 s = a s'`, up to noise, for the key from `s'` to `s`.
    pub(super) fn switch(&self, a: &Poly, key: &SwitchingKey) -> (Poly, Poly) {
        let digits = self.decompose(a);
        let level = a.basis().q - 1;
        let basis = self.parameters.key_basis(level);
        let (ring, degree) = (self.parameters.ring(), self.parameters.degree());
        let (mut c0, mut c1) = (ring.stale(basis), ring.stale(basis));
        for_each_pair(c0.data_mut(), c1.data_mut(), degree, |i, out0, out1| {
            let count = self.parameters.digit_ranges(level).len();
            with_scratch(degree * count, |lifted| {
                for (d, out) in lifted.chunks_exact_mut(degree).enumerate() {
                    self.lift_limb(&digits, d, basis, i, out);
                }
                let lifted: Vec<&[u32]> = lifted.chunks_exact(degree).collect();
                self.multiply_limb(&lifted, key, basis, i, out0, out1);
            });
        });
        (self.mod_down(c0), self.mod_down(c1))
    }

    pub(super) fn decompose<'p>(&self, a: &'p Poly) -> Digits<'p> {
        let ring = self.parameters.ring();
        let level = a.basis().q - 1;
        let degree = self.parameters.degree();
        let mut scaled = a.clone();
        ring.inverse(&mut scaled);
        for (d, range) in self.parameters.digit_ranges(level).enumerate() {
            let conversion = self.parameters.digit_conversion(d, range.len());
            conversion.scale_inputs(
                ring,
                &mut scaled.data_mut()[range.start * degree..range.end * degree],
            );
        }
        Digits {
            evaluations: a,
            scaled,
        }
    }

    /// Digit `d` modulo the `i`-th prime of `basis`, in evaluation form.
    pub(super) fn lift_limb(
        &self,
        digits: &Digits<'_>,
        d: usize,
        basis: Basis,
        i: usize,
        out: &mut [u32],
    ) {
        let Some(range) = self.parameters.digit_ranges(basis.q - 1).nth(d) else {
            return;
        };
        if range.contains(&i) {
            out.copy_from_slice(digits.evaluations.limb(i));
            return;
        }
        let ring = self.parameters.ring();
        let inputs: Vec<&[u32]> = range.clone().map(|j| digits.scaled.limb(j)).collect();
        self.parameters
            .digit_conversion(d, range.len())
            .convert_into(ring, basis, i, &inputs, out);
        ring.kernel(basis, i).forward(out);
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

    /// Divides by `P` with rounding.
    pub(super) fn mod_down(&self, a: Poly) -> Poly {
        self.parameters
            .ring()
            .divide_round(a, self.parameters.mod_down_conversion())
    }
}
