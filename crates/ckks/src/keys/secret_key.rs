//! The secret key: made from a 32-byte seed, wiped when dropped, without a serialiser or `Debug`.

use crate::Parameters;
use ring::{Basis, Poly, Seed};
use zeroize::Zeroize;

/// A uniform ternary polynomial `s`.
pub struct SecretKey {
    coefficients: Vec<i32>,
    /// `s` in evaluation form modulo every prime.
    evaluations: Poly,
    /// From which the errors of evaluation keys are expanded.
    pub(super) seed: Seed,
}

impl SecretKey {
    /// The secret key of a seed.
    pub fn new(parameters: &Parameters, seed: &Seed) -> Self {
        let mut coefficients = vec![0; parameters.degree()];
        seed.xof(&[b"secret key", &parameters.digest()])
            .ternary(&mut coefficients);
        let evaluations = evaluate(parameters, &coefficients);
        Self {
            coefficients,
            evaluations,
            seed: seed.derive(&[b"evaluation keys", &parameters.digest()]),
        }
    }

    /// The values of `s` modulo the `i`-th prime of `basis`.
    pub(crate) fn evaluations(&self, i: usize, basis: Basis) -> &[u32] {
        limb(&self.evaluations, i, basis)
    }

    #[cfg(feature = "insecure-parameters")]
    pub(crate) fn coefficients(&self) -> &[i32] {
        &self.coefficients
    }

    /// The values of `s(X^g)` modulo every prime, to be wiped by the caller.
    pub(super) fn image(&self, parameters: &Parameters, automorphism: &ring::Automorphism) -> Poly {
        let mut coefficients = automorphism.permute_coefficients(&self.coefficients);
        let image = evaluate(parameters, &coefficients);
        coefficients.zeroize();
        image
    }

    /// The ephemeral sparse secret that belongs to this key.
    pub(super) fn ephemeral(&self, parameters: &Parameters) -> Self {
        let weight = parameters.encapsulation().map_or(0, |e| e.weight);
        let mut coefficients = vec![0; parameters.degree()];
        let mut stream = self.seed.xof(&[b"ephemeral secret"]);
        stream.sparse_ternary(weight, &mut coefficients);
        Self {
            evaluations: evaluate(parameters, &coefficients),
            coefficients,
            seed: self.seed.derive(&[b"of the ephemeral secret"]),
        }
    }

    /// The values of `s` modulo every prime, to be wiped by the caller.
    pub(super) fn copy(&self, parameters: &Parameters) -> Poly {
        evaluate(parameters, &self.coefficients)
    }

    /// The values of `s^2` modulo every prime, to be wiped by the caller.
    pub(super) fn square(&self, parameters: &Parameters) -> Poly {
        parameters.ring().mul(&self.evaluations, &self.evaluations)
    }
}

/// The limb of a polynomial over all primes that is the `i`-th of `basis`.
pub(super) fn limb(poly: &Poly, i: usize, basis: Basis) -> &[u32] {
    poly.limb(if i < basis.q {
        i
    } else {
        poly.basis().q + i - basis.q
    })
}

fn evaluate(parameters: &Parameters, coefficients: &[i32]) -> Poly {
    let ring = parameters.ring();
    let mut wide: Vec<i64> = coefficients.iter().map(|&x| x as i64).collect();
    let mut evaluations = ring.reduce_signed(&wide, ring.basis());
    wide.zeroize();
    ring.forward(&mut evaluations);
    evaluations
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.coefficients.zeroize();
        self.evaluations.data_mut().zeroize();
    }
}
