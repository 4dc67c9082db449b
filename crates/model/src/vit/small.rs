use super::{Accuracy, Architecture, Config, Preprocessing, Ranges, Vit};
use crate::{BlockRanges, ModelError, Task};

impl Vit {
    /// A small network with deterministic random weights, for tests of what evaluates networks: 16 tokens, two heads of width
    /// 16, 32 channels, 10 classes.
    pub fn small(blocks: usize, seed: u64) -> Result<Self, ModelError> {
        let config = Config {
            name: "small".to_owned(),
            task: Task::Classify,
            architecture: Architecture {
                tokens: 16,
                inputs: 48,
                width: 32,
                heads: 2,
                hidden: 64,
                blocks,
                classes: 10,
                displacements: false,
            },
            preprocessing: Preprocessing {
                size: 32,
                mean: [0.5; 3],
                std: [0.25; 3],
                pad: 1,
                patch: 4,
                stride: 10,
                convolutions: Vec::new(),
            },
            ranges: Ranges {
                images: 1,
                embed: 1.0,
                blocks: vec![BlockRanges::default(); blocks],
                logits: 1.0,
            },
            accuracy: Accuracy {
                top1: 0.0,
                top5: 0.0,
                images: 1,
            },
            training: serde_json::Map::new(),
        };
        Self::random(config, seed)
    }
}
