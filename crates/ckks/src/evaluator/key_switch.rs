//! Hybrid key switching (Han, Ki, ePrint 2019/688): decompose into digits, lift each digit to `Q P`, multiply by the key, divide by `P`.

use super::Evaluator;
use crate::keys::SwitchingKey;
use ring::{BaseConversion, Basis, Kernel, Poly, both, for_each_pair, map_each, with_scratch};
use std::ops::Range;

/// A digit of a polynomial, lifted to all primes of a key.
pub(super) struct Digit {
    /// The digit's own primes: there it is the polynomial itself, and the limbs of `lifted` are unspecified.
    pub(super) own: Range<usize>,
    /// By coefficients.
    pub(super) lifted: Poly,
}

/// The lifted digits of a polynomial, to be multiplied by a key.
pub(super) enum Lifted<'a> {
    /// By coefficients; the polynomial itself, by evaluations, stands for each digit at its own primes.
    Coefficients(&'a Poly, &'a [Digit]),
    /// By evaluations, for many keys.
    Evaluations(&'a [Poly]),
}

impl Lifted<'_> {
    fn digits(&self) -> usize {
        match self {
            Self::Coefficients(_, digits) => digits.len(),
            Self::Evaluations(digits) => digits.len(),
        }
    }

    /// The evaluations of every digit modulo the `i`-th prime, in `scratch` where they have to be made.
    fn evaluations<'s>(
        &'s self,
        kernel: &dyn Kernel,
        i: usize,
        scratch: &'s mut [u32],
    ) -> Vec<&'s [u32]> {
        match self {
            Self::Coefficients(a, digits) => digits
                .iter()
                .zip(scratch.chunks_exact_mut(a.degree()))
                .map(|(digit, evaluations)| {
                    if digit.own.contains(&i) {
                        return a.limb(i);
                    }
                    evaluations.copy_from_slice(digit.lifted.limb(i));
                    kernel.forward(evaluations);
                    evaluations
                })
                .collect(),
            Self::Evaluations(digits) => digits.iter().map(|digit| digit.limb(i)).collect(),
        }
    }
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
        self.multiply(key, basis, more, &Lifted::Coefficients(a, &digits))
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

    /// The inner product of a key and lifted digits, divided by the special primes. Those come first: a limb of the chain is then made,
    /// divided and permuted while it stays in the cache.
    pub(super) fn multiply(
        &self,
        key: &SwitchingKey,
        basis: Basis,
        more: [Option<&Poly>; 2],
        lifted: &Lifted<'_>,
    ) -> (Poly, Poly) {
        let (ring, degree) = (self.parameters.ring(), self.parameters.degree());
        let division = self.parameters.mod_down(basis.p);
        let product = |i: usize, scratch: &mut [u32], out: [&mut [u32]; 2]| {
            let kernel = ring.kernel(basis, i);
            let lifted = lifted.evaluations(kernel, i, scratch);
            // A key for a higher level has more primes of the chain before the special ones.
            let at = match i.checked_sub(basis.q) {
                Some(special) => key.spec.level + 1 + special,
                None => i,
            };
            let digits = &key.digits[..lifted.len()];
            let bodies: Vec<&[u32]> = digits.iter().map(|(body, _)| body.limb(at)).collect();
            let masks: Vec<&[u32]> = digits.iter().map(|(_, mask)| mask.limb(at)).collect();
            kernel.dot_factors(out, &lifted, [&bodies, &masks]);
        };
        let room = degree * lifted.digits();

        let special = Basis { q: 0, ..basis };
        let (mut p0, mut p1) = (ring.stale(special), ring.stale(special));
        for_each_pair(p0.data_mut(), p1.data_mut(), degree, |i, out0, out1| {
            with_scratch(room, |scratch| {
                product(basis.q + i, scratch, [&mut *out0, &mut *out1]);
            });
            division.input(ring, i, out0);
            division.input(ring, i, out1);
        });
        let (mut c0, mut c1) = both(
            || division.correction(ring, &p0, basis.q),
            || division.correction(ring, &p1, basis.q),
        );
        for_each_pair(c0.data_mut(), c1.data_mut(), degree, |i, out0, out1| {
            with_scratch(room + 2 * degree, |scratch| {
                let (sums, scratch) = scratch.split_at_mut(2 * degree);
                let (sum0, sum1) = sums.split_at_mut(degree);
                product(i, scratch, [&mut *sum0, &mut *sum1]);
                let kernel = ring.kernel(basis, i);
                for (out, sum, more) in [(out0, sum0, more[0]), (out1, sum1, more[1])] {
                    kernel.forward(out);
                    // A permutation goes from one limb to another.
                    let (total, other) = match key.automorphism {
                        Some(_) => (sum, out),
                        None => (out, sum),
                    };
                    kernel.add_assign(total, other);
                    if let Some(more) = more {
                        kernel.add_assign(total, more.limb(i));
                    }
                    if let Some(automorphism) = &key.automorphism {
                        automorphism.permute(total, other);
                    }
                }
            });
        });
        (c0, c1)
    }
}
