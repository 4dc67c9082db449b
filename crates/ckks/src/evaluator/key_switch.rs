//! Hybrid key switching (Han, Ki, ePrint 2019/688): decompose into digits, lift each digit to `Q P`, multiply by the key, divide by `P`.

use super::Evaluator;
use crate::keys::SwitchingKey;
use ring::{BaseConversion, Basis, Poly, both, for_each_pair, map_each, with_scratch};
use std::ops::Range;

/// A digit of a polynomial, lifted to all primes of a key.
pub(super) struct Digit {
    /// The digit's own primes: there it is the polynomial itself, and the limbs of `lifted` are unspecified.
    pub(super) own: Range<usize>,
    /// By coefficients.
    pub(super) lifted: Poly,
}

impl Evaluator<'_> {
    /// `(c_0, c_1)` with `c_0 + c_1 s = a s'`, up to noise, for the key from `s'` to `s`, each with what is given for it added; of a Galois
    /// key's `s'` the automorphism makes `s`, and it is applied to both.
    pub(super) fn switch(
        &self,
        a: &Poly,
        key: &SwitchingKey,
        more: [Option<&Poly>; 2],
    ) -> (Poly, Poly) {
        let basis = Basis {
            p: key.special(),
            ..a.basis()
        };
        let digits = self.decompose(a, basis);
        let (ring, degree) = (self.parameters.ring(), self.parameters.degree());
        self.multiply(key, basis, more, |i, work| {
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
                work(&lifted);
            });
        })
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
            limb.copy_from_slice(a.limb(i));
            conversion.input(ring, i - own.start, limb);
        });
        let inputs: Vec<&[u32]> = inputs.limbs().collect();
        map_each(digits, |(own, conversion)| {
            let mut lifted = ring.stale(basis);
            conversion.convert(ring, &inputs[own.clone()], &mut lifted, own.clone());
            Digit { own, lifted }
        })
    }

    /// The inner product of a key and lifted digits, whose `i`-th limbs `with_lifted` passes on; then divided by the special primes.
    pub(super) fn multiply(
        &self,
        key: &SwitchingKey,
        basis: Basis,
        more: [Option<&Poly>; 2],
        with_lifted: impl Fn(usize, &mut dyn FnMut(&[&[u32]])) + Send + Sync,
    ) -> (Poly, Poly) {
        let ring = self.parameters.ring();
        let division = self.parameters.mod_down(basis.p);
        let (mut c0, mut c1) = (ring.stale(basis), ring.stale(basis));
        for_each_pair(
            c0.data_mut(),
            c1.data_mut(),
            ring.degree(),
            |i, out0, out1| {
                // A key for a higher level has more primes of the chain before the special ones.
                let special = i.checked_sub(basis.q);
                let at = special.map_or(i, |special| key.spec.level + 1 + special);
                with_lifted(i, &mut |lifted| {
                    let digits = &key.digits[..lifted.len()];
                    let bodies: Vec<&[u32]> =
                        digits.iter().map(|(body, _)| body.limb(at)).collect();
                    let masks: Vec<&[u32]> = digits.iter().map(|(_, mask)| mask.limb(at)).collect();
                    ring.kernel(basis, i)
                        .dot_factors([out0, out1], lifted, [&bodies, &masks]);
                });
                if let Some(special) = special {
                    division.input(ring, special, out0);
                    division.input(ring, special, out1);
                }
            },
        );
        let divide = |part: &Poly, more| {
            ring.divide_prepared(part, division, more, key.automorphism.as_ref())
        };
        both(|| divide(&c0, more[0]), || divide(&c1, more[1]))
    }
}
