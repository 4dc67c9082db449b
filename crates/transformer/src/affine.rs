//! `M n + b` for every token, where `n` is the stream or its norm.
//!
//! A norm multiplies a token by a factor, and a linear map takes that factor out: `M (g x) + b = g (M x) + b`. The factor is made
//! while `M x` is, so that a norm costs one level and not two.

use crate::{Packing, matrix::Matrix, packing::Tokens};
use circuits::ckks::Complex64;
use circuits::{CircuitError, Constant, Evaluator, LinearTransform, product, product_at};
use ndarray::Array1;

/// The scale after the factor of a norm, as a multiple of that of linear layers, where the next plain product or [`settled`] brings it back.
pub(crate) const NORMED: f64 = 64.0;

/// A linear map of every token, and what is added to it.
pub(crate) struct Affine<P> {
    map: LinearTransform<P>,
    bias: Constant<P>,
}

impl<P> Affine<P> {
    pub(crate) fn new(map: LinearTransform<P>, bias: Vec<Complex64>) -> Self {
        Self {
            map,
            bias: Constant::new(bias),
        }
    }

    /// `matrix n + bias` on the given tokens.
    pub(crate) fn of(
        packing: Packing,
        matrix: Matrix,
        bias: &Array1<Complex64>,
        tokens: Tokens,
    ) -> Self {
        Self::new(packing.linear(matrix, tokens), packing.bias(bias, tokens))
    }

    /// From the rotations of `x`: one level, two with the factor of a norm, and then at `normed` times the scale of linear layers.
    pub(crate) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &[E::Ciphertext],
        factor: Option<&E::Ciphertext>,
        normed: f64,
    ) -> Result<E::Ciphertext, CircuitError> {
        let inputs = [(&self.map, x)];
        let y = match factor {
            None => product(evaluator, &inputs)?,
            Some(factor) => {
                let prime = evaluator.prime(evaluator.level_of(factor));
                let scale = evaluator.scale() * normed * prime / evaluator.scale_of(factor);
                let y = product_at(evaluator, &inputs, scale)?;
                let y = evaluator.relinearize(&evaluator.dot(&[&y], &[factor])?)?;
                evaluator.rescale(&y)?
            }
        };
        self.bias.add_to(evaluator, &y)
    }
}

/// `x` at a lower level and, if that leaves a level for it, at the scale of linear layers: a product with 1, which is
/// one coefficient and off by less than 2^-20 of itself after rounding.
pub(crate) fn settled<E: Evaluator>(
    evaluator: &E,
    x: &E::Ciphertext,
    level: usize,
) -> Result<E::Ciphertext, CircuitError> {
    let excess = evaluator.scale_of(x) / evaluator.scale();
    if evaluator.level_of(x) <= level || excess < 2.0 {
        return evaluator.drop_to(x, level);
    }
    let x = evaluator.drop_to(x, level + 1)?;
    let one = evaluator.encode(&[Complex64::ONE], evaluator.prime(level + 1) / excess)?;
    evaluator.rescale(&evaluator.dot_plain(&[&x], &[&one])?)
}
