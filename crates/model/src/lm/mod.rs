//! The language model: the server's half, from the vectors of a window of tokens to the vector that predicts the next one.

mod config;
mod embedding;
mod load;
mod recall;
mod small;

pub use config::{Architecture, Config, Perplexity, Ranges};
pub use embedding::Embedding;

use ndarray::{Array1, Array2, ArrayView2};

use crate::{Block, Point, block};

/// Weights of the folded network, and its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Lm {
    /// What the weights belong to.
    pub config: Config,
    /// The blocks in order; causal.
    pub blocks: Vec<Block>,
}

impl Lm {
    /// The vector that predicts the token after the last of a window, from [`Embedding::rows`]; arithmetic in f64.
    ///
    /// # Panics
    /// If `rows` does not have the shape the configuration names.
    pub fn hidden(&self, rows: &Array2<f32>) -> Array1<f32> {
        let all = self.hidden_observed(rows, |_, _| {});
        all.row(all.nrows() - 1).mapv(|v| v as f32)
    }

    /// The vectors that predict the token after each position, \[window, width\], showing every intermediate value to `observe`.
    ///
    /// # Panics
    /// If `rows` does not have the shape the configuration names.
    pub fn hidden_observed(
        &self,
        rows: &Array2<f32>,
        observe: impl FnMut(Point, ArrayView2<'_, f64>),
    ) -> Array2<f64> {
        let shape = &self.config.architecture;
        assert_eq!(
            rows.dim(),
            (shape.window, shape.width),
            "rows have the wrong shape"
        );
        block::stream(&self.blocks, rows.mapv(f64::from), shape.heads, observe)
    }
}
