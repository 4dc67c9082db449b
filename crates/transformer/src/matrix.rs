//! Plain matrices on packed channels: the diagonal of a rotation by `k` channels is constant over a channel's slots, and the
//! rotation is cyclic over the whole vector, so no mask is needed.

use crate::{Packing, packing::Tokens};
use circuits::ckks::Complex64;
use circuits::{CircuitError, rotations};
use circuits::{Evaluator, LinearTransform, Steps};
use ndarray::{Array1, Array2};

/// A complex matrix over packed channels, `[out, in]`.
pub(crate) type Matrix = Array2<Complex64>;

impl Packing {
    pub(crate) fn channel_steps(self) -> Steps {
        let babies = self.channel_babies();
        Steps {
            baby: self.channel() as i64,
            babies,
            giant: (babies * self.channel()) as i64,
            giants: self.channels() / babies,
        }
    }

    /// The rotations that [`Packing::linear`] maps take.
    pub(crate) fn channel_rotations<E: Evaluator>(
        self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<Vec<E::Ciphertext>, CircuitError> {
        let steps = self.channel_steps();
        rotations(evaluator, x, steps.baby, steps.babies)
    }

    /// Half of all slots further, by the giant steps' key: its few uses do not pay for a key of its own.
    pub(crate) fn half_turn<E: Evaluator>(
        self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let Steps { giant, giants, .. } = self.channel_steps();
        evaluator.rotate_repeatedly(x, giant, giants / 2)
    }

    /// `sum_i rot(x, i step)` over `count` terms, with the keys of `step` and of a baby step over lanes times `step`.
    pub(crate) fn rotated_sum<E: Evaluator>(
        self,
        evaluator: &E,
        x: &E::Ciphertext,
        step: i64,
        count: usize,
    ) -> Result<E::Ciphertext, CircuitError> {
        let babies = self.lane_babies();
        let mut sum = x.clone();
        let mut width = 1;
        while width < count {
            let (step, times) = if width < babies {
                (step, width)
            } else {
                (babies as i64 * step, width / babies)
            };
            sum = evaluator.add(&sum, &evaluator.rotate_repeatedly(&sum, step, times)?)?;
            width *= 2;
        }
        Ok(sum)
    }

    /// `sum_c x[c]` for every token, in each of its channels, with the keys of heads and of linear maps.
    pub(crate) fn channel_sum<E: Evaluator>(
        self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let (babies, heads) = (self.channel_babies(), self.heads);
        let mut sum = x.clone();
        let mut width = 1;
        while width < self.channels() {
            let stride = [babies, heads, 1]
                .into_iter()
                .find(|&stride| stride <= width)
                .unwrap_or(1);
            let step = (stride * self.channel()) as i64;
            sum = evaluator.add(
                &sum,
                &evaluator.rotate_repeatedly(&sum, step, width / stride)?,
            )?;
            width *= 2;
        }
        Ok(sum)
    }

    /// `y[c] = sum_c' matrix[c, c'] x[c']` on the given tokens.
    pub(crate) fn linear<P>(self, matrix: Matrix, tokens: Tokens) -> LinearTransform<P> {
        LinearTransform::new(self.channel_steps(), move |rotation| {
            let shift = rotation as usize / self.channel();
            self.vector(tokens, |c, _| matrix[[c, (c + shift) % self.channels()]])
        })
    }

    /// The vector that holds `bias[c]` for every token.
    pub(crate) fn bias(self, bias: &Array1<Complex64>, tokens: Tokens) -> Vec<Complex64> {
        self.vector(tokens, |c, _| bias[c])
    }
}

/// `(first + i second) * factor`.
pub(crate) fn complex(first: &Array2<f64>, second: &Array2<f64>, factor: f64) -> Matrix {
    ndarray::Zip::from(first)
        .and(second)
        .map_collect(|&re, &im| Complex64::new(re, im) * factor)
}

/// The rows of `matrix` in an order.
pub(crate) fn rows(
    matrix: &Array2<f32>,
    order: impl Fn(usize) -> usize,
    count: usize,
) -> Array2<f64> {
    Array2::from_shape_fn((count, matrix.ncols()), |(c, k)| {
        matrix[[order(c), k]] as f64
    })
}
