use std::path::Path;

use super::{Architecture, Config, Embed, Vit};
use crate::{
    ModelError, Sigma,
    files::{read_json, read_values},
    tensors::{Source, block_values, linear_values},
};

impl Vit {
    /// Reads `config.json` and `model.safetensors` from a model's folder.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let config = Config::from_json(&read_json(folder, "config.json")?)?;
        let values = values(&config.architecture);
        let weights = read_values(folder, "model.safetensors", values)?;
        Self::assemble(config, Source::file(&weights)?)
    }

    /// As [`Vit::load`], from the bytes of the two files.
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
        let embed = Embed {
            weight: source.matrix("embed.weight", a.width, a.inputs)?,
            position: source.matrix("embed.position", a.tokens, a.width)?,
        };
        let blocks = (0..a.blocks)
            .map(|i| {
                source.block(i, a.width, a.hidden, |source, name| {
                    Ok(Sigma::Uniform {
                        shift: source.vector(&format!("{name}.shift"), a.heads)?,
                        offset: source.vector(&format!("{name}.offset"), a.heads)?,
                    })
                })
            })
            .collect::<Result<_, _>>()?;
        let head = source.linear("head", a.classes, a.width)?;
        source.finish()?;
        Ok(Self {
            config,
            embed,
            blocks,
            head,
        })
    }
}

/// Number of weights the sizes imply.
fn values(a: &Architecture) -> u64 {
    let block = block_values(a.width, a.hidden) + 2 * a.heads as u64;
    (a.width * (a.inputs + a.tokens)) as u64
        + a.blocks as u64 * block
        + linear_values(a.classes, a.width)
}
