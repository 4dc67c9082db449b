use std::path::Path;

use super::{Architecture, Config, Lm, Norm};
use crate::{
    ModelError, Sigma,
    files::{read_json, read_values},
    tensors::{Source, block_values},
};

impl Lm {
    /// Reads `config.json` and `model.safetensors` from a model's folder.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let config = Config::from_json(&read_json(folder, "config.json")?)?;
        let values = values(&config.architecture);
        let weights = read_values(folder, "model.safetensors", values)?;
        Self::assemble(config, Source::file(&weights)?)
    }

    /// As [`Lm::load`], from the bytes of the two files.
    pub fn from_bytes(config_json: &[u8], safetensors: &[u8]) -> Result<Self, ModelError> {
        Self::assemble(Config::from_json(config_json)?, Source::file(safetensors)?)
    }

    /// Deterministic small random weights of the right shapes, for tests.
    pub fn random(config: Config, seed: u64) -> Result<Self, ModelError> {
        config.check()?;
        Self::assemble(config, Source::random(seed))
    }

    fn assemble(config: Config, mut source: Source<'_>) -> Result<Self, ModelError> {
        let a = config.architecture;
        let blocks = (0..a.blocks)
            .map(|i| {
                source.block(i, a.width, a.hidden, |source, name| {
                    Ok(Sigma::Causal {
                        gain: source.matrix(&format!("{name}.gain"), a.heads, a.window)?,
                        shift: source.vector(&format!("{name}.shift"), a.heads)?,
                        offset: source.matrix(&format!("{name}.offset"), a.heads, a.window)?,
                    })
                })
            })
            .collect::<Result<_, _>>()?;
        let norm = Norm {
            scale: source.vector("norm.scale", a.width)?,
            shift: source.vector("norm.shift", a.width)?,
        };
        source.finish()?;
        Ok(Self {
            config,
            blocks,
            norm,
        })
    }
}

/// Number of weights the sizes imply.
fn values(a: &Architecture) -> u64 {
    let sigma = (a.heads * (2 * a.window + 1)) as u64;
    a.blocks as u64 * (block_values(a.width, a.hidden) + sigma) + 2 * a.width as u64
}
