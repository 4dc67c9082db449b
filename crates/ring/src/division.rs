//! Division by some primes with rounding: `round(x/M) = x/M - sum_i y_i/m_i + u mod t`, in the notation of base conversion.

use crate::{
    Basis, Factor, Kernel, Poly, Ring,
    conversion::{PIECE, Sources},
    for_each_limb, for_each_piece,
};
use std::ops::Range;

/// Constants of the division by the product `M` of some primes.
pub struct Division {
    by: Sources,
    /// For every prime `t` of the chain.
    chain: Vec<Target>,
}

struct Target {
    /// `-1/m_i mod t`, and 1 for `u`.
    factors: Vec<Factor>,
    /// `1/M mod t`; zero where `t` divides `M`.
    inverse: Factor,
}

impl Division {
    /// The division by the primes of the limbs `by` of a polynomial over `basis`.
    pub fn new(ring: &Ring, basis: Basis, by: Range<usize>) -> Self {
        let by = Sources::new(ring, basis, by);
        let target = |kernel: &dyn Kernel| {
            let t = kernel.modulus();
            let inverses = by.moduli().iter().map(|m| t.inv(m.value() % t.value()));
            let factors = inverses.map(|inverse| t.neg(inverse)).chain([1]);
            Target {
                factors: factors.map(|c| t.factor(c)).collect(),
                inverse: t.factor(t.inv(by.product(t, None))),
            }
        };
        Self {
            chain: ring.chain.iter().map(|kernel| target(&**kernel)).collect(),
            by,
        }
    }

    /// Limbs that it takes away.
    pub fn limbs(&self) -> usize {
        self.by.moduli().len()
    }

    /// `1/M` modulo the `i`-th prime of the chain.
    pub fn inverse(&self, i: usize) -> Factor {
        self.chain[i].inverse
    }

    /// Makes `y_i`, as coefficients, of the evaluations of the `i`-th limb that it takes away.
    pub fn input(&self, ring: &Ring, i: usize, limb: &mut [u32]) {
        self.by.input(ring, i, limb);
    }

    /// The coefficients of `u - sum_i y_i/m_i` modulo the first `kept` primes of the chain, from limbs that have passed
    /// [`Division::input`]: added to `x/M` they make it `round(x/M)`.
    pub fn correction(&self, ring: &Ring, dropped: &Poly, kept: usize) -> Poly {
        let dropped: Vec<&[u32]> = dropped.limbs().collect();
        let mut out = ring.stale(Basis::of_chain(kept));
        for_each_piece(out.data_mut(), ring.degree(), PIECE, |range, limbs| {
            self.by.with_quotients(&dropped, range, |terms| {
                for (target, (kernel, limb)) in self.chain.iter().zip(ring.chain.iter().zip(limbs))
                {
                    kernel.combine(limb, terms, &target.factors);
                }
            });
        });
        out
    }
}

impl Ring {
    /// Divides a polynomial in evaluation form by the product of its last `division.limbs()` primes and rounds to nearest.
    pub fn divide_round(&self, poly: &Poly, division: &Division) -> Poly {
        let kept = poly.basis().limbs() - division.limbs();
        let mut dropped = self.stale(Basis::of_chain(division.limbs()));
        for_each_limb(dropped.data_mut(), self.degree(), |i, limb| {
            limb.copy_from_slice(poly.limb(kept + i));
            division.input(self, i, limb);
        });
        let mut quotient = division.correction(self, &dropped, kept);
        self.each(&mut quotient, |kernel, i, limb| {
            kernel.forward(limb);
            kernel.add_scaled_assign(limb, poly.limb(i), division.inverse(i));
        });
        quotient
    }
}
