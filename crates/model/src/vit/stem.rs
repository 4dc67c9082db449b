//! The client's half of the vision transformer: from an image to what it encrypts.

use std::path::Path;

use ndarray::{Array2, Array3};

use super::{Preprocessing, convolution, convolution::Convolution};
use crate::{
    ModelError,
    files::read_values,
    image::{self, Rgb32, SIDE},
    tensors::Source,
};

const FILE: &str = "stem.safetensors";

/// Patches, and what convolutions of the image add to them: u_t = patch_t + last · c_t. The client computes it in the clear, so that it
/// costs no level and may have a ReLU.
#[derive(Debug, Clone, PartialEq)]
pub struct Stem {
    preprocessing: Preprocessing,
    convolutions: Option<Convolutions>,
}

#[derive(Debug, Clone, PartialEq)]
struct Convolutions {
    layers: Vec<Convolution>,
    /// \[inputs, channels\]
    last: Array2<f32>,
}

impl Stem {
    /// Reads `stem.safetensors` from a model's folder, where the model has convolutions.
    pub fn load(folder: &Path, preprocessing: &Preprocessing) -> Result<Self, ModelError> {
        preprocessing.check()?;
        let Some(last) = preprocessing.convolutions.last() else {
            return Self::from_bytes(preprocessing, None);
        };
        let values = convolution::values(&preprocessing.convolutions)
            + (preprocessing.inputs() * last.channels) as u64;
        Self::from_bytes(preprocessing, Some(&read_values(folder, FILE, values)?))
    }

    /// As [`Stem::load`], from the bytes of the file; there is none where there is no convolution.
    pub fn from_bytes(
        preprocessing: &Preprocessing,
        safetensors: Option<&[u8]>,
    ) -> Result<Self, ModelError> {
        if preprocessing.convolutions.is_empty() != safetensors.is_none() {
            let reason = format!("it has convolutions or {FILE}, but not both");
            return Err(ModelError::Config(reason));
        }
        Self::assemble(preprocessing, safetensors.map(Source::file).transpose()?)
    }

    /// Deterministic small random weights of the right shapes, for tests.
    pub fn random(preprocessing: &Preprocessing, seed: u64) -> Result<Self, ModelError> {
        let source = (!preprocessing.convolutions.is_empty()).then(|| Source::random(seed));
        Self::assemble(preprocessing, source)
    }

    fn assemble(
        preprocessing: &Preprocessing,
        source: Option<Source<'_>>,
    ) -> Result<Self, ModelError> {
        preprocessing.check()?;
        let convolutions = source.map(|source| Convolutions::take(source, preprocessing));
        Ok(Self {
            preprocessing: preprocessing.clone(),
            convolutions: convolutions.transpose()?,
        })
    }

    /// The network's input for an image, \[tokens, inputs\].
    pub fn patches(&self, image: &Rgb32) -> Array2<f32> {
        let mut patches = image::patches(image, &self.preprocessing);
        let Some(Convolutions { layers, last }) = &self.convolutions else {
            return patches;
        };
        let pixels = Array3::from_shape_fn((SIDE, SIDE, image::CHANNELS), |(y, x, channel)| {
            image::normalised(image, &self.preprocessing, y, x, channel)
        });
        let points = layers.iter().fold(pixels, |x, layer| layer.apply(&x));
        let (_, side, _) = points.dim();
        for (token, mut patch) in patches.rows_mut().into_iter().enumerate() {
            let point = points.slice(ndarray::s![token / side, token % side, ..]);
            for (channel, &value) in point.iter().enumerate() {
                patch.scaled_add(value, &last.column(channel));
            }
        }
        patches
    }
}

impl Convolutions {
    fn take(mut source: Source<'_>, steps: &Preprocessing) -> Result<Self, ModelError> {
        let mut channels = image::CHANNELS;
        let mut layers = Vec::new();
        for (i, &shape) in steps.convolutions.iter().enumerate() {
            let name = format!("convolutions.{i}");
            layers.push(Convolution::take(&mut source, &name, shape, channels)?);
            channels = shape.channels;
        }
        let last = source.matrix("last.weight", steps.inputs(), channels)?;
        source.finish()?;
        Ok(Self { layers, last })
    }
}
