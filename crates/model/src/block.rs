use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, s};

/// weight·x + bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// \[outputs, inputs\].
    pub weight: Array2<f32>,
    /// \[outputs\].
    pub bias: Array1<f32>,
}

/// x + output(Σ σ(q·k) v) + down((up n)²), with q, k and v linear in n, and n the norm of x.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// ν in n = (3/2 − ν |x|²) x for every token; without it n = x.
    pub norm: Option<f64>,
    /// Queries; carries every scaling of the scores.
    pub query: Linear,
    /// Keys.
    pub key: Linear,
    /// Values.
    pub value: Linear,
    /// From scores to attention weights.
    pub sigma: Sigma,
    /// From all heads' channels, head-major, to the residual stream.
    pub output: Linear,
    /// Into the MLP's square.
    pub up: Linear,
    /// Out of the MLP's square.
    pub down: Linear,
}

/// The polynomial in place of softmax: no sum over a row, no exponential.
#[derive(Debug, Clone, PartialEq)]
pub enum Sigma {
    /// (q_t·k_s + r_h)² + δ_h\[t, s\] for every pair of tokens.
    Unordered {
        /// r, per head.
        shift: Array1<f32>,
        /// δ, per head, token and token looked at.
        offset: Array3<f32>,
    },
    /// (g_h\[t−s\] (q_t·k_s + r_h))² + δ_h\[t−s\] for s ≤ t, and 0 for the tokens that follow.
    Causal {
        /// g, per head and distance.
        gain: Array2<f32>,
        /// r, per head.
        shift: Array1<f32>,
        /// δ, per head and distance.
        offset: Array2<f32>,
    },
}

/// Names a value inside the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Residual stream after the embedding, \[tokens, width\].
    Embed,
    /// Queries of a block, \[tokens, width\].
    Query(usize),
    /// Keys of a block.
    Key(usize),
    /// Values of a block.
    Value(usize),
    /// What one head squares, \[tokens (query), tokens (key)\].
    Scores(usize, usize),
    /// Attention weights of one head.
    Attention(usize, usize),
    /// Attention weights times values, all heads, \[tokens, width\].
    Mixed(usize),
    /// Inputs of the MLP's square, \[tokens, hidden\].
    Up(usize),
    /// Residual stream after a block.
    Stream(usize),
}

impl Linear {
    /// Applies the map to every row, in f64.
    pub fn rows(&self, x: &Array2<f64>) -> Array2<f64> {
        x.dot(&self.weight.mapv(f64::from).t()) + &self.bias.mapv(f64::from)
    }
}

impl Sigma {
    /// What is squared in one head, from q·k by query and key.
    fn squared(&self, head: usize, scores: &mut Array2<f64>) {
        match self {
            Self::Unordered { shift, .. } => *scores += f64::from(shift[head]),
            Self::Causal { gain, shift, .. } => {
                for ((t, s), score) in scores.indexed_iter_mut() {
                    *score = if s <= t {
                        f64::from(gain[[head, t - s]]) * (*score + f64::from(shift[head]))
                    } else {
                        0.0
                    };
                }
            }
        }
    }

    /// Attention weights of one head, from what is squared.
    fn weights(&self, head: usize, scores: &mut Array2<f64>) {
        match self {
            Self::Unordered { offset, .. } => {
                for ((t, s), score) in scores.indexed_iter_mut() {
                    *score = *score * *score + f64::from(offset[[head, t, s]]);
                }
            }
            Self::Causal { offset, .. } => {
                for ((t, s), score) in scores.indexed_iter_mut() {
                    if s <= t {
                        *score = *score * *score + f64::from(offset[[head, t - s]]);
                    }
                }
            }
        }
    }
}

impl Block {
    /// Layer normalisation of a centred x with Newton's first step in place of 1/√v.
    fn normed(&self, x: &Array2<f64>) -> Array2<f64> {
        let Some(slope) = self.norm else {
            return x.clone();
        };
        let squares = (x * x).sum_axis(Axis(1)).insert_axis(Axis(1));
        x * &squares.mapv(|square| 1.5 - slope * square)
    }

    /// What the block adds to the residual stream.
    pub(crate) fn change(
        &self,
        x: &Array2<f64>,
        heads: usize,
        mut observe: impl FnMut(Point, ArrayView2<'_, f64>),
    ) -> Array2<f64> {
        let n = &self.normed(x);
        let (q, k, v) = (self.query.rows(n), self.key.rows(n), self.value.rows(n));
        observe(Point::Query(0), q.view());
        observe(Point::Key(0), k.view());
        observe(Point::Value(0), v.view());
        let width = q.ncols() / heads;
        let mut mixed = Array2::zeros(v.dim());
        for head in 0..heads {
            let channels = s![.., head * width..(head + 1) * width];
            let mut weights = q.slice(channels).dot(&k.slice(channels).t());
            self.sigma.squared(head, &mut weights);
            observe(Point::Scores(0, head), weights.view());
            self.sigma.weights(head, &mut weights);
            observe(Point::Attention(0, head), weights.view());
            mixed
                .slice_mut(channels)
                .assign(&weights.dot(&v.slice(channels)));
        }
        observe(Point::Mixed(0), mixed.view());
        let mut hidden = self.up.rows(n);
        observe(Point::Up(0), hidden.view());
        hidden.mapv_inplace(|h| h * h);
        self.output.rows(&mixed) + self.down.rows(&hidden)
    }
}

/// The residual stream after all blocks, showing every intermediate value to `observe`.
pub(crate) fn stream(
    blocks: &[Block],
    mut x: Array2<f64>,
    heads: usize,
    mut observe: impl FnMut(Point, ArrayView2<'_, f64>),
) -> Array2<f64> {
    observe(Point::Embed, x.view());
    for (index, block) in blocks.iter().enumerate() {
        x += &block.change(&x, heads, |point, value| observe(point.of(index), value));
        observe(Point::Stream(index), x.view());
    }
    x
}

impl Point {
    fn of(self, block: usize) -> Self {
        match self {
            Self::Query(_) => Self::Query(block),
            Self::Key(_) => Self::Key(block),
            Self::Value(_) => Self::Value(block),
            Self::Scores(_, head) => Self::Scores(block, head),
            Self::Attention(_, head) => Self::Attention(block, head),
            Self::Mixed(_) => Self::Mixed(block),
            Self::Up(_) => Self::Up(block),
            Self::Stream(_) => Self::Stream(block),
            Self::Embed => Self::Embed,
        }
    }
}
