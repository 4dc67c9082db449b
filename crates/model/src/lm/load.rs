use std::path::Path;

use super::{Architecture, Config, Lm};
use crate::{
    Block, ModelError, Sigma,
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
                let block = source.block(i, a.width, a.hidden, |source, name| {
                    Ok(Sigma::Causal {
                        gain: source.matrix(&format!("{name}.gain"), a.heads, a.window)?,
                        shift: source.vector(&format!("{name}.shift"), a.heads)?,
                        offset: source.matrix(&format!("{name}.offset"), a.heads, a.window)?,
                    })
                })?;
                let norm = i.checked_sub(1).and_then(|i| config.norms.get(i).copied());
                Ok(Block { norm, ..block })
            })
            .collect::<Result<_, ModelError>>()?;
        source.finish()?;
        Ok(Self { config, blocks })
    }
}

/// Number of weights the sizes imply.
fn values(a: &Architecture) -> u64 {
    let sigma = (a.heads * (2 * a.window + 1)) as u64;
    a.blocks as u64 * (block_values(a.width, a.hidden) + sigma)
}
