//! The vision transformer.

mod config;
mod convolution;
mod load;
mod small;
mod stem;

pub use config::{Accuracy, Architecture, Config, Preprocessing, Ranges};
pub use convolution::ConvolutionShape;
pub use stem::Stem;

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::{Block, Linear, Point, block, image::Rgb32};

/// Weights of the folded network, and its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Vit {
    /// What the weights belong to.
    pub config: Config,
    /// From an image to patches, the client's half.
    pub stem: Stem,
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

impl Vit {
    /// The network's input for an image, \[tokens, inputs\].
    pub fn patches(&self, image: &Rgb32) -> Array2<f32> {
        self.stem.patches(image)
    }

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
        observe: impl FnMut(Point, ArrayView2<'_, f64>),
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
        let x = block::stream(&self.blocks, x, shape.heads, observe);
        let mean = x.sum_axis(Axis(0)) / shape.tokens as f64;
        self.head.weight.mapv(f64::from).dot(&mean) + &self.head.bias.mapv(f64::from)
    }
}
