//! An evaluation key prepared for the kernel: both halves of every digit in evaluation form.

use super::{KeySpec, SeededKey};
use crate::{Parameters, wire};
use ring::{Automorphism, Poly};

/// `(b_d, a_d)` with `b_d + a_d s = e_d + P [digit d] s'` over the key's primes.
pub(crate) struct SwitchingKey {
    pub(crate) spec: KeySpec,
    pub(crate) digits: Vec<(Poly, Poly)>,
    /// The automorphism of a Galois key.
    pub(crate) automorphism: Option<Automorphism>,
}

impl SwitchingKey {
    pub(crate) fn prepare(parameters: &Parameters, key: &SeededKey) -> Self {
        let ring = parameters.ring();
        let basis = key.spec.basis(parameters);
        let digits = key
            .bodies
            .iter()
            .enumerate()
            .map(|(index, body)| {
                let mut body = body.clone();
                let mut mask = wire::expand_mask(parameters, &key.mask, index, basis);
                ring.forward(&mut body);
                ring.forward(&mut mask);
                (body, mask)
            })
            .collect();
        let automorphism = match key.spec.kind {
            super::KeyKind::Galois(element) => Automorphism::new(element, parameters.degree()),
            _ => None,
        };
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
