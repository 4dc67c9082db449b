//! Linear maps on slots as sums of diagonals, evaluated by baby steps and giant steps (Halevi, Shoup, ePrint 2014/106, 2018/244).
//!
//! `y = sum_(i,j) D_(i,j) * rot(x, i b + j g) = sum_j rot( sum_i rot(D_(i,j), -j g) * rot(x, i b), j g )`; the outer sum is
//! Horner's, so that the giant steps need one key.

use crate::{CircuitError, Evaluator};
use ckks::Complex64;
use std::sync::OnceLock;

/// Which rotations `i * baby + j * giant` the diagonals belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Rotation of one baby step, and how many there are (at most 16 for one sum; more are summed in turns).
    pub baby: i64,
    /// Number of baby steps, the zeroth counted.
    pub babies: usize,
    /// Rotation of one giant step.
    pub giant: i64,
    /// Number of giant steps, the zeroth counted.
    pub giants: usize,
}

impl Steps {
    /// The main diagonal alone: slot by slot.
    pub const NONE: Steps = Steps {
        baby: 0,
        babies: 1,
        giant: 0,
        giants: 1,
    };
}

/// A linear map whose diagonals are computed when they are first encoded, and kept encoded from then on.
pub struct LinearTransform<P> {
    steps: Steps,
    diagonal: Box<dyn Fn(i64) -> Vec<Complex64> + Send + Sync>,
    encoded: OnceLock<Encoded<P>>,
}

struct Encoded<P> {
    scale: f64,
    /// By giant step, then baby step; `None` for a diagonal of zeros.
    diagonals: Vec<Vec<Option<P>>>,
}

impl<P> LinearTransform<P> {
    /// The map `x -> sum_r diagonal(r) * rot(x, r)` over the rotations of `steps`.
    pub fn new(
        steps: Steps,
        diagonal: impl Fn(i64) -> Vec<Complex64> + Send + Sync + 'static,
    ) -> Self {
        Self {
            steps,
            diagonal: Box::new(diagonal),
            encoded: OnceLock::new(),
        }
    }

    /// The rotations of its diagonals.
    pub fn steps(&self) -> Steps {
        self.steps
    }

    /// The diagonals at a scale; the circuit gives the same scale every time, so they are encoded once.
    fn encoded<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        scale: f64,
    ) -> Result<&Encoded<P>, CircuitError> {
        // Quotients of scales are rounded.
        let same = |encoded: &&Encoded<P>| (encoded.scale / scale - 1.0).abs() < 1e-12;
        if let Some(encoded) = self.encoded.get().filter(same) {
            return Ok(encoded);
        }
        let Steps {
            baby,
            babies,
            giant,
            giants,
        } = self.steps;
        let encode = |i: usize, j: usize| {
            let mut diagonal = (self.diagonal)(i as i64 * baby + j as i64 * giant);
            if diagonal.iter().all(|z| *z == Complex64::ZERO) {
                return Ok(None);
            }
            let turn = (j as i64 * giant).rem_euclid(diagonal.len() as i64) as usize;
            diagonal.rotate_right(turn);
            evaluator.encode(&diagonal, scale).map(Some)
        };
        let diagonals = (0..giants)
            .map(|j| (0..babies).map(|i| encode(i, j)).collect())
            .collect::<Result<_, CircuitError>>()?;
        let _ = self.encoded.set(Encoded { scale, diagonals });
        self.encoded
            .get()
            .filter(same)
            .ok_or(CircuitError::Encoding {
                layer: "linear transform encoded for another scale".into(),
                log_scale: scale.log2(),
            })
    }
}

/// A map and the rotations of what it is applied to.
pub type Input<'i, E> = (
    &'i LinearTransform<<E as Evaluator>::Plaintext>,
    &'i [<E as Evaluator>::Ciphertext],
);

/// `rot(x, i * step)` for `i` in `0..count`, each from the one before: one key.
pub fn rotations<E: Evaluator>(
    evaluator: &E,
    x: &E::Ciphertext,
    step: i64,
    count: usize,
) -> Result<Vec<E::Ciphertext>, CircuitError> {
    let mut all = vec![x.clone()];
    while all.len() < count {
        let next = evaluator.rotate(&all[all.len() - 1], step)?;
        all.push(next);
    }
    Ok(all)
}

/// [`product_at`] the scale of linear layers.
pub fn product<E: Evaluator>(
    evaluator: &E,
    inputs: &[Input<'_, E>],
) -> Result<E::Ciphertext, CircuitError> {
    product_at(evaluator, inputs, evaluator.scale())
}

/// `sum_k map_k(x_k)`, rescaled to `scale`: one level. `inputs[k]` are the [`rotations`] of `x_k` by the baby steps of `map_k`;
/// all maps share their giant steps.
pub fn product_at<E: Evaluator>(
    evaluator: &E,
    inputs: &[Input<'_, E>],
    scale: f64,
) -> Result<E::Ciphertext, CircuitError> {
    let level = inputs
        .iter()
        .map(|(_, babies)| evaluator.level_of(&babies[0]))
        .min()
        .unwrap_or(0);
    let sum = sum_of_products(evaluator, inputs, scale * evaluator.prime(level))?;
    evaluator.rescale(&sum)
}

/// `sum_k map_k(x_k)` at the scale `target`, not yet rescaled.
pub(crate) fn sum_of_products<E: Evaluator>(
    evaluator: &E,
    inputs: &[Input<'_, E>],
    target: f64,
) -> Result<E::Ciphertext, CircuitError> {
    let maps = inputs
        .iter()
        .map(|(map, babies)| {
            Ok((
                map.encoded(evaluator, target / evaluator.scale_of(&babies[0]))?,
                *babies,
            ))
        })
        .collect::<Result<Vec<_>, CircuitError>>()?;
    let steps = inputs[0].0.steps();
    let mut total: Option<E::Ciphertext> = None;
    for j in (0..steps.giants).rev() {
        if let Some(sum) = total.take() {
            total = Some(evaluator.rotate(&sum, steps.giant)?);
        }
        for (map, babies) in &maps {
            let terms: Vec<_> = babies
                .iter()
                .zip(&map.diagonals[j])
                .filter_map(|(x, p)| p.as_ref().map(|p| (x, p)))
                .collect();
            for terms in terms.chunks(16) {
                let (x, p): (Vec<&E::Ciphertext>, Vec<&E::Plaintext>) =
                    terms.iter().copied().unzip();
                let sum = evaluator.dot_plain(&x, &p)?;
                total = Some(match total.take() {
                    None => sum,
                    Some(total) => evaluator.add(&total, &sum)?,
                });
            }
        }
    }
    total.ok_or(CircuitError::NoTerms("linear transform"))
}
