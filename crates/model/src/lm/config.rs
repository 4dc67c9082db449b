use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    BlockRanges, ModelError, Task,
    config::{check_heads, check_name, check_ranges, check_sizes, check_task, from_json},
};

/// `config.json` of a language model: everything that is not a weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Model id, also its folder name: lower-case letters, digits and hyphens.
    pub name: String,
    /// [`Task::Complete`].
    pub task: Task,
    /// Sizes of the network.
    pub architecture: Architecture,
    /// ν of [`crate::Block::norm`] for each block but the first, whose input the client has normalised.
    pub norms: Vec<f64>,
    /// The token that fills a window on the left, before the text begins.
    pub pad: u32,
    /// Largest magnitudes seen on the validation texts.
    pub ranges: Ranges,
    /// How well the model predicts, by validation text.
    pub perplexity: BTreeMap<String, Perplexity>,
    /// How the weights were made; for people, not interpreted.
    #[serde(default)]
    pub training: serde_json::Map<String, serde_json::Value>,
}

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Tokens T that the model sees at once.
    pub window: usize,
    /// Channels of the residual stream.
    pub width: usize,
    /// Attention heads; each has `width / heads` channels.
    pub heads: usize,
    /// Channels inside the MLP.
    pub hidden: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// Number of different tokens.
    pub vocabulary: usize,
}

/// Largest magnitude of each kind of value over the validation texts; what an encrypted evaluation must leave room for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// Number of windows measured.
    pub windows: usize,
    /// Embedded tokens.
    pub embed: f64,
    /// One entry per block.
    pub blocks: Vec<BlockRanges>,
    /// The last token's vector.
    pub hidden: f64,
}

/// exp of the mean negative log likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Perplexity {
    /// Per token of this model's vocabulary.
    pub token: f64,
    /// Per word of the text.
    pub word: f64,
    /// Number of tokens predicted.
    pub tokens: u64,
}

impl Architecture {
    pub(super) fn check(&self) -> Result<(), ModelError> {
        check_sizes(&[
            ("window", self.window, 4096),
            ("width", self.width, 4096),
            ("heads", self.heads, 64),
            ("hidden", self.hidden, 16384),
            ("blocks", self.blocks, 64),
            ("vocabulary", self.vocabulary, 1 << 17),
        ])?;
        check_heads(self.width, self.heads)
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
        check_task(self.task, Task::Complete)?;
        self.architecture.check()?;
        if self.pad as usize >= self.architecture.vocabulary {
            return Err(ModelError::Config(format!(
                "the padding token {} is not in the vocabulary",
                self.pad
            )));
        }
        if self.norms.len() + 1 != self.architecture.blocks
            || !self.norms.iter().all(|slope| (1e-9..=1.0).contains(slope))
        {
            return Err(ModelError::Config(
                "norms must hold a number in 1e-9..=1 for each block but the first".into(),
            ));
        }
        check_ranges(&self.ranges.blocks, self.architecture.blocks)
    }
}
