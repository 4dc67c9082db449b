//! Layer normalisation of a centred stream: `n = g x` with `g = 3/2 - nu |x|^2`, Newton's first step towards `1/sqrt(|x|^2 / d)` from
//! the root of the mean square of training; that root itself is folded into the maps that follow. [`crate::affine`] applies `g`.

use crate::Packing;
use circuits::ckks::Complex64;
use circuits::{CircuitError, Evaluator};

/// `g`, for every token in each of its channels: one level.
pub(crate) fn factor<E: Evaluator>(
    evaluator: &E,
    packing: Packing,
    x: &E::Ciphertext,
    slope: f64,
) -> Result<E::Ciphertext, CircuitError> {
    // (i x)^2 = -x^2.
    let turned = evaluator.mul_i(x)?;
    let squares = evaluator.relinearize(&evaluator.dot(&[&turned], &[&turned])?)?;
    let sum = packing.channel_sum(evaluator, &evaluator.rescale(&squares)?)?;
    evaluator.add_vector(&evaluator.scaled(&sum, slope), &[Complex64::from(1.5)])
}
