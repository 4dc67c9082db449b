//! `u = up x`, `u^2`: the MLP before its second product. Two real halves of the hidden layer share the complex slots.

use crate::{
    Packing,
    affine::{Affine, NORMED, settled},
    matrix::{complex, rows},
    packing::Tokens,
};
use circuits::ckks::Complex64;
use circuits::{CircuitError, Evaluator};
use model::Linear;

/// The expanding half of an MLP.
pub(crate) struct Up<P> {
    map: Affine<P>,
}

impl<P> Up<P> {
    pub(crate) fn new(packing: Packing, up: &Linear) -> Self {
        let d = packing.channels();
        // One half: real and imaginary parts are taken as z + conj z.
        let matrix = complex(
            &rows(&up.weight, |c| c, d),
            &rows(&up.weight, |c| c + d, d),
            0.5,
        );
        let bias = (0..d)
            .map(|c| Complex64::new(up.bias[c] as f64, up.bias[c + d] as f64) / 2.0)
            .collect();
        Self {
            map: Affine::of(packing, matrix, &bias, Tokens::Doubled),
        }
    }

    /// `u_1^2 + i u_2^2` from the rotations of `x`: two levels, four with a norm.
    pub(crate) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &[E::Ciphertext],
        factor: Option<&E::Ciphertext>,
    ) -> Result<E::Ciphertext, CircuitError> {
        let z = self.map.evaluate(evaluator, x, factor, NORMED)?;
        let z = match factor {
            None => z,
            Some(_) => settled(evaluator, &z, evaluator.level_of(&z) - 1)?,
        };
        let conjugate = evaluator.conjugate(&z)?;
        let first = evaluator.add(&z, &conjugate)?;
        // i u_2: its square is -u_2^2, so that i u_2^2 = -i (i u_2)^2.
        let second = evaluator.sub(&z, &conjugate)?;
        let squares = evaluator.sub(
            &evaluator.dot(&[&first], &[&first])?,
            &evaluator.mul_i(&evaluator.dot(&[&second], &[&second])?)?,
        )?;
        evaluator.rescale(&evaluator.relinearize(&squares)?)
    }
}
