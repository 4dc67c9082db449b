use std::collections::BTreeMap;

use super::{Architecture, Config, Embedding, Lm, Ranges};
use crate::{BlockRanges, ModelError, Task};

impl Lm {
    /// A small network with deterministic random weights, for tests of what evaluates networks: a window of 16 tokens, two heads of
    /// width 16, 32 channels, and the embedding of a vocabulary.
    pub fn small(
        blocks: usize,
        vocabulary: usize,
        seed: u64,
    ) -> Result<(Self, Embedding), ModelError> {
        let config = Config {
            name: "small-lm".to_owned(),
            task: Task::Complete,
            architecture: Architecture {
                window: 16,
                width: 32,
                heads: 2,
                hidden: 64,
                blocks,
                vocabulary,
            },
            // Of layer norm at variances of one half and less.
            norms: (1..blocks).map(|block| block as f64 / 32.0).collect(),
            pad: 0,
            ranges: Ranges {
                windows: 1,
                embed: 1.0,
                blocks: vec![BlockRanges::default(); blocks],
                hidden: 1.0,
            },
            perplexity: BTreeMap::new(),
            training: serde_json::Map::new(),
        };
        let embedding = Embedding::random(&config.architecture, seed ^ 1)?;
        Ok((Self::random(config, seed)?, embedding))
    }
}
