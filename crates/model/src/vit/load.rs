use std::path::Path;

use ndarray::{Array3, Axis};

use super::{Architecture, Config, Embed, Stem, Vit};
use crate::{
    ModelError, Sigma,
    files::{read_json, read_values},
    tensors::{Source, block_values, linear_values},
};

impl Vit {
    /// Reads `config.json`, `model.safetensors` and, where the model has convolutions, `stem.safetensors` from its folder.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let config = Config::from_json(&read_json(folder, "config.json")?)?;
        let values = values(&config.architecture);
        let weights = read_values(folder, "model.safetensors", values)?;
        let stem = Stem::load(folder, &config.preprocessing)?;
        Self::assemble(config, stem, Source::file(&weights)?)
    }

    /// As [`Vit::load`], from the bytes of the files.
    pub fn from_bytes(
        config_json: &[u8],
        safetensors: &[u8],
        stem: Option<&[u8]>,
    ) -> Result<Self, ModelError> {
        let config = Config::from_json(config_json)?;
        let stem = Stem::from_bytes(&config.preprocessing, stem)?;
        Self::assemble(config, stem, Source::file(safetensors)?)
    }

    /// Deterministic small random weights of the right shapes, for tests.
    pub fn random(config: Config, seed: u64) -> Result<Self, ModelError> {
        config.check()?;
        let stem = Stem::random(&config.preprocessing, seed)?;
        Self::assemble(config, stem, Source::random(seed))
    }

    fn assemble(config: Config, stem: Stem, mut source: Source<'_>) -> Result<Self, ModelError> {
        let a = config.architecture;
        let embed = Embed {
            weight: source.matrix("embed.weight", a.width, a.inputs)?,
            position: source.matrix("embed.position", a.tokens, a.width)?,
        };
        let blocks = (0..a.blocks)
            .map(|i| {
                source.block(i, a.width, a.hidden, |source, name| {
                    let shift = source.vector(&format!("{name}.shift"), a.heads)?;
                    let name = format!("{name}.offset");
                    let entries = if a.displacements {
                        source.matrix(&name, a.heads, a.offsets())?
                    } else {
                        source.vector(&name, a.heads)?.insert_axis(Axis(1))
                    };
                    let offset =
                        Array3::from_shape_fn((a.heads, a.tokens, a.tokens), |(h, t, s)| {
                            entries[[h, a.offset_of(t, s)]]
                        });
                    Ok(Sigma::Unordered { shift, offset })
                })
            })
            .collect::<Result<_, _>>()?;
        let head = source.linear("head", a.classes, a.width)?;
        source.finish()?;
        Ok(Self {
            config,
            stem,
            embed,
            blocks,
            head,
        })
    }
}

/// Number of weights the sizes imply.
fn values(a: &Architecture) -> u64 {
    let block = block_values(a.width, a.hidden) + (a.heads * (1 + a.offsets())) as u64;
    (a.width * (a.inputs + a.tokens)) as u64
        + a.blocks as u64 * block
        + linear_values(a.classes, a.width)
}
