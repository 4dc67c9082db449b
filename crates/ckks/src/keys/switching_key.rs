//! An evaluation key prepared for the kernel: both halves of every digit in evaluation form.

use super::{KeyKind, KeySpec, SeededKey};
use crate::{Parameters, wire};
use ring::{Automorphism, Poly};

/// `(b_d, a_d)` with `b_d + a_d s = e_d + P [digit d] s'` over the key's primes, in the form in which the evaluator multiplies by them: as
/// [`ring::Factor`]s, over `P` modulo the primes of the chain, and of a Galois key the images under the inverse automorphism.
pub(crate) struct SwitchingKey {
    pub(crate) spec: KeySpec,
    pub(crate) digits: Vec<(Poly, Poly)>,
    /// The automorphism of a Galois key, for what was switched.
    pub(crate) automorphism: Option<Automorphism>,
}

impl SwitchingKey {
    pub(crate) fn prepare(parameters: &Parameters, key: &SeededKey) -> Self {
        let ring = parameters.ring();
        let basis = key.spec.basis(parameters);
        let division = parameters.mod_down(basis.p);
        let automorphism = match key.spec.kind {
            KeyKind::Galois(element) => Automorphism::new(element, parameters.degree()),
            _ => None,
        };
        let inverse = automorphism.as_ref().and_then(Automorphism::inverse);
        let prepared = |mut half: Poly| {
            ring.each(&mut half, |kernel, i, limb| {
                let modulus = kernel.modulus();
                let factor = if i < basis.q {
                    division.inverse(i)
                } else {
                    modulus.factor(1)
                };
                kernel.forward(limb);
                kernel.scale_assign(limb, modulus.factor(factor.residue()));
            });
            match &inverse {
                Some(inverse) => ring.apply(inverse, &half),
                None => half,
            }
        };
        let digits = key
            .bodies
            .iter()
            .enumerate()
            .map(|(index, body)| {
                let mask = wire::expand_mask(parameters, &key.mask, index, basis);
                (prepared(body.clone()), prepared(mask))
            })
            .collect();
        Self {
            spec: key.spec,
            digits,
            automorphism,
        }
    }

    /// Special primes of the key.
    pub(crate) fn special(&self) -> usize {
        self.digits.first().map_or(0, |(body, _)| body.basis().p)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.digits
            .iter()
            .map(|(body, mask)| body.heap_bytes() + mask.heap_bytes())
            .sum()
    }
}
