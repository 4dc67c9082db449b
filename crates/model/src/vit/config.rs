use serde::{Deserialize, Serialize};

use super::convolution::{self, ConvolutionShape};
use crate::{
    BlockRanges, ModelError, Task,
    config::{check_heads, check_name, check_ranges, check_sizes, check_task, from_json},
};

/// `config.json`: everything about a model that is not a weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Model id, also its folder name: lower-case letters, digits and hyphens.
    pub name: String,
    /// [`Task::Classify`].
    pub task: Task,
    /// Sizes of the network.
    pub architecture: Architecture,
    /// From an image to the network's input.
    pub preprocessing: Preprocessing,
    /// Largest magnitudes seen on the validation split.
    pub ranges: Ranges,
    /// Share of right answers on the validation split.
    pub accuracy: Accuracy,
    /// How the weights were made; for people, not interpreted.
    #[serde(default)]
    pub training: serde_json::Map<String, serde_json::Value>,
}

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Tokens T: patches of one image.
    pub tokens: usize,
    /// Values per patch.
    pub inputs: usize,
    /// Channels of the residual stream.
    pub width: usize,
    /// Attention heads; each has `width / heads` channels.
    pub heads: usize,
    /// Channels inside the MLP.
    pub hidden: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// Number of classes.
    pub classes: usize,
    /// Whether σ's offset knows the displacement of two patches, or is one a head.
    #[serde(default)]
    pub displacements: bool,
}

/// From a 32×32 RGB image to patches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Side of the image in pixels; 32.
    pub size: usize,
    /// Per-channel mean of v/255, subtracted.
    pub mean: [f32; 3],
    /// Per-channel standard deviation, divided by.
    pub std: [f32; 3],
    /// Zeros added on each side after normalising.
    pub pad: usize,
    /// Side of a patch.
    pub patch: usize,
    /// Distance between neighbouring patches.
    pub stride: usize,
    /// Convolutions whose result joins the patches ([`super::Stem`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub convolutions: Vec<ConvolutionShape>,
}

/// Largest magnitude of each kind of value over the validation split; what an encrypted evaluation must leave room for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// Number of images measured.
    pub images: usize,
    /// Residual stream after the embedding.
    pub embed: f64,
    /// One entry per block.
    pub blocks: Vec<BlockRanges>,
    /// Logits.
    pub logits: f64,
}

/// Share of right answers on the validation split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Best class right, in [0, 1].
    pub top1: f64,
    /// Right class among the best five, in [0, 1].
    pub top5: f64,
    /// Number of images measured.
    pub images: usize,
}

impl Architecture {
    /// Channels of one head.
    pub fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Entries of a head's offset: one a displacement of two patches of a square of patches, or one for all.
    pub fn offsets(&self) -> usize {
        if self.displacements {
            (2 * self.side() - 1).pow(2)
        } else {
            1
        }
    }

    /// The entry for a token and one that it looks at.
    pub(crate) fn offset_of(&self, token: usize, at: usize) -> usize {
        if !self.displacements {
            return 0;
        }
        let side = self.side();
        let along = |from: usize, to: usize| from + side - 1 - to;
        along(token / side, at / side) * (2 * side - 1) + along(token % side, at % side)
    }

    fn side(&self) -> usize {
        self.tokens.isqrt()
    }

    fn check(&self) -> Result<(), ModelError> {
        check_sizes(&[
            ("tokens", self.tokens, 4096),
            ("inputs", self.inputs, 4096),
            ("width", self.width, 4096),
            ("heads", self.heads, 64),
            ("hidden", self.hidden, 16384),
            ("blocks", self.blocks, 64),
            ("classes", self.classes, 16384),
        ])?;
        check_heads(self.width, self.heads)
    }
}

impl Preprocessing {
    /// Patches along one side of the image.
    pub fn side(&self) -> usize {
        (self.size + 2 * self.pad - self.patch) / self.stride + 1
    }

    /// Patches of one image.
    pub fn tokens(&self) -> usize {
        self.side().pow(2)
    }

    /// Values of one patch.
    pub fn inputs(&self) -> usize {
        3 * self.patch.pow(2)
    }

    pub(super) fn check(&self) -> Result<(), ModelError> {
        if self.size != crate::image::SIDE {
            return Err(ModelError::Config(format!(
                "image size {} is not supported, only 32",
                self.size
            )));
        }
        if self.pad > self.size
            || self.patch == 0
            || self.patch > self.size + 2 * self.pad
            || self.stride == 0
        {
            return Err(ModelError::Config(
                "patches do not fit the padded image".into(),
            ));
        }
        let usable = |v: f32| v.is_finite() && v > 1e-6;
        if !self.mean.iter().all(|m| m.is_finite()) || !self.std.iter().all(|&s| usable(s)) {
            return Err(ModelError::Config("mean or std is not usable".into()));
        }
        convolution::check(&self.convolutions, self.side())
    }
}

impl Config {
    /// Reads and checks `config.json`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ModelError> {
        let config: Self = from_json(bytes)?;
        config.check()?;
        Ok(config)
    }

    /// Whether all numbers are possible and agree with each other.
    pub fn check(&self) -> Result<(), ModelError> {
        check_name(&self.name)?;
        check_task(self.task, Task::Classify)?;
        self.architecture.check()?;
        self.preprocessing.check()?;
        let a = &self.architecture;
        if self.preprocessing.tokens() != a.tokens || self.preprocessing.inputs() != a.inputs {
            return Err(ModelError::Config(format!(
                "preprocessing makes {} tokens of {} values, the architecture takes {} of {}",
                self.preprocessing.tokens(),
                self.preprocessing.inputs(),
                a.tokens,
                a.inputs
            )));
        }
        check_ranges(&self.ranges.blocks, a.blocks)
    }
}
