use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::Config;

/// Weights of the folded network, and its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Vit {
    /// What the weights belong to.
    pub config: Config,
    /// From patches to the residual stream.
    pub embed: Embed,
    /// The blocks in order.
    pub blocks: Vec<Block>,
    /// From the token mean to logits.
    pub head: Linear,
}

/// Patch embedding: x_t = weight·u_t + position_t.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// \[width, inputs\].
    pub weight: Array2<f32>,
    /// \[tokens, width\], the bias included.
    pub position: Array2<f32>,
}

/// weight·x + bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// \[outputs, inputs\].
    pub weight: Array2<f32>,
    /// \[outputs\].
    pub bias: Array1<f32>,
}

/// x + output((( q·k + shift)² + offset) v) + down((up x)²), q, k and v linear in x.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Queries; carries every scaling of the scores.
    pub query: Linear,
    /// Keys.
    pub key: Linear,
    /// Values.
    pub value: Linear,
    /// r, per head: added to the scores before the square.
    pub score_shift: Array1<f32>,
    /// δ, per head: added after the square.
    pub score_offset: Array1<f32>,
    /// From all heads' channels, head-major, to the residual stream.
    pub output: Linear,
    /// Into the MLP's square.
    pub up: Linear,
    /// Out of the MLP's square.
    pub down: Linear,
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
    /// q·k + r of one head, \[tokens (query), tokens (key)\].
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

impl Vit {
    /// Class scores of one image's patches \[tokens, inputs\]; arithmetic in f64.
    ///
    /// # Panics
    /// If `patches` does not have the shape the configuration names.
    pub fn logits(&self, patches: &Array2<f32>) -> Array1<f32> {
        self.logits_observed(patches, |_, _| {}).mapv(|v| v as f32)
    }

    /// As [`Vit::logits`], showing every intermediate value to `observe`.
    ///
    /// # Panics
    /// If `patches` does not have the shape the configuration names.
    pub fn logits_observed(
        &self,
        patches: &Array2<f32>,
        mut observe: impl FnMut(Point, ArrayView2<'_, f64>),
    ) -> Array1<f64> {
        let shape = &self.config.architecture;
        assert_eq!(
            patches.dim(),
            (shape.tokens, shape.inputs),
            "patches have the wrong shape"
        );
        let mut x = patches
            .mapv(f64::from)
            .dot(&self.embed.weight.mapv(f64::from).t());
        x += &self.embed.position.mapv(f64::from);
        observe(Point::Embed, x.view());
        for (index, block) in self.blocks.iter().enumerate() {
            let change = block.change(&x, shape.heads, |point, value| {
                observe(point.of(index), value)
            });
            x += &change;
            observe(Point::Stream(index), x.view());
        }
        let mean = x.sum_axis(Axis(0)) / shape.tokens as f64;
        self.head.weight.mapv(f64::from).dot(&mean) + &self.head.bias.mapv(f64::from)
    }
}

impl Block {
    /// What the block adds to the residual stream.
    fn change(
        &self,
        x: &Array2<f64>,
        heads: usize,
        mut observe: impl FnMut(Point, ArrayView2<'_, f64>),
    ) -> Array2<f64> {
        let (q, k, v) = (self.query.rows(x), self.key.rows(x), self.value.rows(x));
        observe(Point::Query(0), q.view());
        observe(Point::Key(0), k.view());
        observe(Point::Value(0), v.view());
        let width = q.ncols() / heads;
        let mut mixed = Array2::zeros(v.dim());
        for head in 0..heads {
            let channels = s![.., head * width..(head + 1) * width];
            let mut weights = q.slice(channels).dot(&k.slice(channels).t());
            weights += f64::from(self.score_shift[head]);
            observe(Point::Scores(0, head), weights.view());
            let offset = f64::from(self.score_offset[head]);
            weights.mapv_inplace(|w| w * w + offset);
            observe(Point::Attention(0, head), weights.view());
            mixed
                .slice_mut(channels)
                .assign(&weights.dot(&v.slice(channels)));
        }
        observe(Point::Mixed(0), mixed.view());
        let mut hidden = self.up.rows(x);
        observe(Point::Up(0), hidden.view());
        hidden.mapv_inplace(|h| h * h);
        self.output.rows(&mixed) + self.down.rows(&hidden)
    }
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
