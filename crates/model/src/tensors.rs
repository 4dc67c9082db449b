//! Where weights come from: a safetensors file, every tensor checked before it is copied, or a fixed sequence for tests.

use std::collections::HashSet;

use half::f16;
use ndarray::{Array1, Array2};
use safetensors::{Dtype, SafeTensors};

use crate::{Block, Linear, ModelError, Sigma};

/// A source of named tensors.
pub(crate) enum Source<'b> {
    File {
        file: SafeTensors<'b>,
        taken: HashSet<String>,
    },
    Random(SplitMix64),
}

/// The point is a fixed sequence, not quality.
pub(crate) struct SplitMix64(u64);

impl<'b> Source<'b> {
    pub(crate) fn file(bytes: &'b [u8]) -> Result<Self, ModelError> {
        Ok(Self::File {
            file: SafeTensors::deserialize(bytes)?,
            taken: HashSet::new(),
        })
    }

    pub(crate) fn random(seed: u64) -> Self {
        Self::Random(SplitMix64(seed))
    }

    /// Fails if the file has a tensor that nobody took.
    pub(crate) fn finish(self) -> Result<(), ModelError> {
        let Self::File { file, taken } = self else {
            return Ok(());
        };
        match file.names().into_iter().find(|&name| !taken.contains(name)) {
            Some(name) => Err(ModelError::UnknownTensor(name.to_owned())),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        match self {
            Self::File { file, taken } => {
                taken.insert(name.to_owned());
                copy_values(file, name, shape)
            }
            Self::Random(sequence) => {
                // Keeps every activation of order one, whatever the sizes.
                let scale = (3.0 / shape.last().copied().unwrap_or(1).max(3) as f32).sqrt() * 0.5;
                Ok((0..shape.iter().product::<usize>())
                    .map(|_| scale * sequence.uniform())
                    .collect())
            }
        }
    }

    pub(crate) fn vector(&mut self, name: &str, n: usize) -> Result<Array1<f32>, ModelError> {
        self.take(name, &[n]).map(Array1::from_vec)
    }

    pub(crate) fn matrix(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Array2<f32>, ModelError> {
        let values = self.take(name, &[rows, columns])?;
        let found = vec![values.len()];
        Array2::from_shape_vec((rows, columns), values).map_err(|_| ModelError::Shape {
            name: name.to_owned(),
            found,
            expected: vec![rows, columns],
        })
    }

    pub(crate) fn linear(
        &mut self,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Linear, ModelError> {
        Ok(Linear {
            weight: self.matrix(&format!("{name}.weight"), outputs, inputs)?,
            bias: self.vector(&format!("{name}.bias"), outputs)?,
        })
    }

    /// Block `i`; `sigma` takes the tensors that begin with the name it gets.
    pub(crate) fn block(
        &mut self,
        i: usize,
        width: usize,
        hidden: usize,
        sigma: impl FnOnce(&mut Self, &str) -> Result<Sigma, ModelError>,
    ) -> Result<Block, ModelError> {
        let mut linear = |part: &str, outputs: usize, inputs: usize| {
            self.linear(&format!("blocks.{i}.{part}"), outputs, inputs)
        };
        let (query, key, value) = (
            linear("query", width, width)?,
            linear("key", width, width)?,
            linear("value", width, width)?,
        );
        let (output, up, down) = (
            linear("output", width, width)?,
            linear("up", hidden, width)?,
            linear("down", width, hidden)?,
        );
        Ok(Block {
            norm: None,
            query,
            key,
            value,
            sigma: sigma(self, &format!("blocks.{i}.scores"))?,
            output,
            up,
            down,
        })
    }
}

impl SplitMix64 {
    /// In [−1, 1).
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Number of values of a linear map.
pub(crate) fn linear_values(outputs: usize, inputs: usize) -> u64 {
    (outputs * (inputs + 1)) as u64
}

/// Number of values of a block, σ not counted.
pub(crate) fn block_values(width: usize, hidden: usize) -> u64 {
    4 * linear_values(width, width) + linear_values(hidden, width) + linear_values(width, hidden)
}

fn copy_values(
    file: &SafeTensors<'_>,
    name: &str,
    expected: &[usize],
) -> Result<Vec<f32>, ModelError> {
    let tensor = file
        .tensor(name)
        .map_err(|_| ModelError::MissingTensor(name.to_owned()))?;
    if !matches!(tensor.dtype(), Dtype::F32 | Dtype::F16) {
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
    let values: Vec<f32> = if tensor.dtype() == Dtype::F16 {
        let (words, _) = tensor.data().as_chunks::<2>();
        words
            .iter()
            .map(|&word| f16::from_le_bytes(word).to_f32())
            .collect()
    } else {
        let (words, _) = tensor.data().as_chunks::<4>();
        words.iter().map(|&word| f32::from_le_bytes(word)).collect()
    };
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(ModelError::NotFinite {
            name: name.to_owned(),
            index,
        }),
        None => Ok(values),
    }
}
