//! The client's half of a language model: from tokens to vectors, and from the answer's vector to scores of tokens.

use std::path::Path;

use ndarray::{Array1, Array2};

use super::{
    Architecture,
    recall::{ORDERS, follower},
};
use crate::{ModelError, files::read_values, tensors::Source};

/// Token vectors, used on both sides of the network (tied), and what is added to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// \[vocabulary, width\].
    pub weight: Array2<f32>,
    /// \[window, width\].
    pub position: Array2<f32>,
    /// \[2, width\]: how much is added of the vector of the token that followed the latest earlier occurrence of the present token,
    /// and of the present two.
    pub recall: Array2<f32>,
    /// \[vocabulary\], added to the scores.
    pub bias: Array1<f32>,
    /// \[width\], what the answer's norm is multiplied by.
    pub norm_weight: Array1<f32>,
    /// \[width\], what is added to it.
    pub norm_bias: Array1<f32>,
}

/// Added to the variance by which a vector is normalised.
const EPSILON: f64 = 1e-5;

/// Of mean 0 and variance 1. The order of additions is fixed, so that every machine gets the same bits.
fn normalised(x: &[f32]) -> impl Iterator<Item = f64> {
    let count = x.len() as f64;
    let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let variance = x
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / count;
    let deviation = (variance + EPSILON).sqrt();
    x.iter().map(move |&v| (f64::from(v) - mean) / deviation)
}

impl Embedding {
    /// Reads `embedding.safetensors` from a model's folder.
    pub fn load(folder: &Path, shape: &Architecture) -> Result<Self, ModelError> {
        Self::from_bytes(
            &read_values(folder, "embedding.safetensors", values(shape))?,
            shape.window,
            shape.width,
            shape.vocabulary,
        )
    }

    /// As [`Embedding::load`], from the bytes of the file.
    pub fn from_bytes(
        safetensors: &[u8],
        window: usize,
        width: usize,
        vocabulary: usize,
    ) -> Result<Self, ModelError> {
        Self::assemble(Source::file(safetensors)?, window, width, vocabulary)
    }

    /// Deterministic small random vectors of the right shapes, for tests.
    pub fn random(shape: &Architecture, seed: u64) -> Result<Self, ModelError> {
        shape.check()?;
        let source = Source::random(seed);
        Self::assemble(source, shape.window, shape.width, shape.vocabulary)
    }

    fn assemble(
        mut source: Source<'_>,
        window: usize,
        width: usize,
        vocabulary: usize,
    ) -> Result<Self, ModelError> {
        let embedding = Self {
            weight: source.matrix("embed.weight", vocabulary, width)?,
            position: source.matrix("embed.position", window, width)?,
            recall: source.matrix("embed.recall", ORDERS, width)?,
            bias: source.vector("bias", vocabulary)?,
            norm_weight: source.vector("norm.weight", width)?,
            norm_bias: source.vector("norm.bias", width)?,
        };
        source.finish()?;
        Ok(embedding)
    }

    /// The network's input for a window of tokens: normalised sums of token, recalled and position vectors, \[window, width\].
    ///
    /// # Errors
    /// Another number of tokens than the window holds, a token that is not in the vocabulary.
    pub fn rows(&self, tokens: &[u32]) -> Result<Array2<f32>, ModelError> {
        let mut rows = self.position.clone();
        if tokens.len() != rows.nrows() {
            return Err(ModelError::Window {
                expected: rows.nrows(),
                found: tokens.len(),
            });
        }
        if let Some(&token) = tokens.iter().find(|&&t| t as usize >= self.weight.nrows()) {
            return Err(ModelError::Token(token));
        }
        for (t, mut row) in rows.rows_mut().into_iter().enumerate() {
            row += &self.weight.row(tokens[t] as usize);
            for (order, weight) in (1..).zip(self.recall.rows()) {
                if let Some(token) = follower(&tokens[..=t], order) {
                    row += &(&weight * &self.weight.row(token as usize));
                }
            }
            let sum: Vec<f32> = row.to_vec();
            row.iter_mut()
                .zip(normalised(&sum))
                .for_each(|(value, normed)| *value = normed as f32);
        }
        Ok(rows)
    }

    /// The norm of an answer's vector, which the scores are products with.
    pub fn normed<'h>(&'h self, hidden: &'h [f32]) -> impl Iterator<Item = f64> + 'h {
        normalised(hidden)
            .zip(self.norm_weight.iter().zip(&self.norm_bias))
            .map(|(value, (&weight, &bias))| value * f64::from(weight) + f64::from(bias))
    }

    /// Scores of all tokens from the answer's vector, which is normalised first. The order of additions is fixed here too.
    ///
    /// # Errors
    /// Another number of values than the network's width.
    pub fn logits(&self, hidden: &[f32]) -> Result<Vec<f32>, ModelError> {
        if hidden.len() != self.weight.ncols() {
            return Err(ModelError::Width {
                expected: self.weight.ncols(),
                found: hidden.len(),
            });
        }
        let normed: Vec<f64> = self.normed(hidden).collect();
        let score = |(row, &bias): (ndarray::ArrayView1<'_, f32>, &f32)| {
            let products = row.iter().zip(&normed).map(|(&w, &h)| f64::from(w) * h);
            (f64::from(bias) + products.sum::<f64>()) as f32
        };
        Ok(self
            .weight
            .rows()
            .into_iter()
            .zip(&self.bias)
            .map(score)
            .collect())
    }
}

fn values(shape: &Architecture) -> u64 {
    (shape.vocabulary * (shape.width + 1) + (shape.window + ORDERS + 2) * shape.width) as u64
}
