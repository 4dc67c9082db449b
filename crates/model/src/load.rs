use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    fs::File,
    io::Read,
    path::Path,
};

use ndarray::{Array1, Array2};
use safetensors::{Dtype, SafeTensors};

use crate::{Block, Config, Embed, Linear, ModelError, Vit};

/// Longest `config.json` or `labels.json` accepted.
pub(crate) const JSON_LIMIT: u64 = 1 << 20;
/// Room for the safetensors header beside the values.
const HEADER_ROOM: u64 = 1 << 20;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    let named = |source| ModelError::Read {
        file: path.display().to_string(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(named)?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(named)?;
    if bytes.len() as u64 > limit {
        return Err(ModelError::TooLong {
            file: path.display().to_string(),
            limit,
        });
    }
    Ok(bytes)
}

impl Vit {
    /// Reads `config.json` and `model.safetensors` from a model's folder.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let config = Config::from_json(&read(&folder.join("config.json"), JSON_LIMIT)?)?;
        let limit = 4 * parameters(&config) + HEADER_ROOM;
        let weights = read(&folder.join("model.safetensors"), limit)?;
        Self::from_config(config, &weights)
    }

    /// As [`Vit::load`], from the bytes of the two files.
    pub fn from_bytes(config_json: &[u8], safetensors: &[u8]) -> Result<Self, ModelError> {
        Self::from_config(Config::from_json(config_json)?, safetensors)
    }

    fn from_config(config: Config, safetensors: &[u8]) -> Result<Self, ModelError> {
        let file = SafeTensors::deserialize(safetensors)?;
        let taken = RefCell::new(HashSet::new());
        let vit = assemble(config, |name, shape| {
            taken.borrow_mut().insert(name.to_owned());
            copy_values(&file, name, shape)
        })?;
        let taken = taken.into_inner();
        match file.names().into_iter().find(|&name| !taken.contains(name)) {
            Some(name) => Err(ModelError::UnknownTensor(name.to_owned())),
            None => Ok(vit),
        }
    }

    /// Deterministic small random weights of the right shapes, for tests.
    pub fn random(config: Config, seed: u64) -> Result<Self, ModelError> {
        config.check()?;
        // SplitMix64: the point is a fixed sequence, not quality.
        let state = Cell::new(seed);
        let uniform = || {
            state.set(state.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut z = state.get();
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        assemble(config, |_, shape| {
            // Keeps every activation of order one, whatever the sizes.
            let scale = (3.0 / shape.last().copied().unwrap_or(1).max(3) as f32).sqrt() * 0.5;
            Ok((0..shape.iter().product::<usize>())
                .map(|_| scale * uniform())
                .collect())
        })
    }
}

/// Number of weights the configuration implies.
fn parameters(config: &Config) -> u64 {
    let a = &config.architecture;
    let linear = |outputs: usize, inputs: usize| (outputs * (inputs + 1)) as u64;
    let block = 4 * linear(a.width, a.width)
        + linear(a.hidden, a.width)
        + linear(a.width, a.hidden)
        + 2 * a.heads as u64;
    (a.width * (a.inputs + a.tokens)) as u64 + a.blocks as u64 * block + linear(a.classes, a.width)
}

/// Builds the network from a source of tensors; `take` returns as many values as the shape names, or an error.
fn assemble(
    config: Config,
    take: impl Fn(&str, &[usize]) -> Result<Vec<f32>, ModelError>,
) -> Result<Vit, ModelError> {
    let a = config.architecture;
    let vector = |name: &str, n: usize| take(name, &[n]).map(Array1::from_vec);
    let matrix = |name: &str, rows: usize, columns: usize| {
        let values = take(name, &[rows, columns])?;
        let found = vec![values.len()];
        Array2::from_shape_vec((rows, columns), values).map_err(|_| ModelError::Shape {
            name: name.to_owned(),
            found,
            expected: vec![rows, columns],
        })
    };
    let linear = |name: &str, outputs: usize, inputs: usize| -> Result<Linear, ModelError> {
        Ok(Linear {
            weight: matrix(&format!("{name}.weight"), outputs, inputs)?,
            bias: vector(&format!("{name}.bias"), outputs)?,
        })
    };
    let embed = Embed {
        weight: matrix("embed.weight", a.width, a.inputs)?,
        position: matrix("embed.position", a.tokens, a.width)?,
    };
    let block = |i: usize| -> Result<Block, ModelError> {
        let (d, h) = (a.width, a.hidden);
        Ok(Block {
            query: linear(&format!("blocks.{i}.query"), d, d)?,
            key: linear(&format!("blocks.{i}.key"), d, d)?,
            value: linear(&format!("blocks.{i}.value"), d, d)?,
            score_shift: vector(&format!("blocks.{i}.scores.shift"), a.heads)?,
            score_offset: vector(&format!("blocks.{i}.scores.offset"), a.heads)?,
            output: linear(&format!("blocks.{i}.output"), d, d)?,
            up: linear(&format!("blocks.{i}.up"), h, d)?,
            down: linear(&format!("blocks.{i}.down"), d, h)?,
        })
    };
    let blocks = (0..a.blocks).map(block).collect::<Result<_, _>>()?;
    let head = linear("head", a.classes, a.width)?;
    Ok(Vit {
        config,
        embed,
        blocks,
        head,
    })
}

/// A file's values, copied out tensor by tensor after every check.
fn copy_values(
    file: &SafeTensors<'_>,
    name: &str,
    expected: &[usize],
) -> Result<Vec<f32>, ModelError> {
    let tensor = file
        .tensor(name)
        .map_err(|_| ModelError::MissingTensor(name.to_owned()))?;
    if tensor.dtype() != Dtype::F32 {
        return Err(ModelError::Type {
            name: name.to_owned(),
            found: format!("{:?}", tensor.dtype()),
        });
    }
    if tensor.shape() != expected {
        let (found, expected) = (tensor.shape().to_vec(), expected.to_vec());
        return Err(ModelError::Shape {
            name: name.to_owned(),
            found,
            expected,
        });
    }
    let (words, _) = tensor.data().as_chunks::<4>();
    let values: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(ModelError::NotFinite {
            name: name.to_owned(),
            index,
        }),
        None => Ok(values),
    }
}
