//! The encrypted vision transformer.

use std::{path::Path, sync::Arc};

use model::{Vit, labels};
use protocol::{
    ckks::{Parameters, Plaintext},
    hex::Digest,
    manifest::{Accuracy, Classify, Convolution, FileEntry, Preprocessing, STEM, Task},
};
use transformer::{EncryptedModel, VitNetwork, released_parameters};

use super::{
    File, LoadError, describe::narrow, encrypted::EncryptedEngine, public_files, read,
    weights_digest,
};
use crate::engine::Engine;

pub(super) fn load(folder: &Path, config: &[u8]) -> Result<Arc<dyn Engine>, LoadError> {
    let weights = read(&folder.join("model.safetensors"))?;
    let stem = folder.join(STEM);
    let stem = stem.exists().then(|| read(&stem)).transpose()?;
    let vit = Vit::from_bytes(config, &weights, stem.as_deref())?;
    let labels = labels::load(folder, &vit.config)?;
    let digest = weights_digest(config, &weights);
    let parameters = released_parameters(|| VitNetwork::new(&vit))?;
    let mut files = public_files(folder, config, weights);
    files.extend(stem.map(|content| (STEM, content)));
    let engine = engine(&vit, labels, digest, files, &parameters)?;
    Ok(Arc::new(engine.with_record(folder)?))
}

/// Plans a vision transformer without convolutions that is in memory.
///
/// # Errors
/// As [`super::load`].
pub fn vision_transformer(
    vit: &Vit,
    labels: Vec<String>,
    weights: Digest,
    parameters: &Parameters,
) -> Result<Arc<dyn Engine>, LoadError> {
    let engine = engine(vit, labels, weights, Vec::new(), parameters)?;
    Ok(Arc::new(engine))
}

pub(super) fn engine(
    vit: &Vit,
    labels: Vec<String>,
    weights: Digest,
    files: Vec<File>,
    parameters: &Parameters,
) -> Result<EncryptedEngine<VitNetwork<Plaintext>>, LoadError> {
    let config = &vit.config;
    let entries = files
        .iter()
        .filter(|(name, _)| *name == STEM)
        .map(|(name, content)| FileEntry::of(name, content));
    let task = Task::Classify(Classify {
        preprocessing: preprocessing(&config.preprocessing),
        files: entries.collect(),
        labels,
        accuracy: Accuracy {
            top1: config.accuracy.top1,
            top5: config.accuracy.top5,
            images: config.accuracy.images as u64,
        },
    });
    let model =
        EncryptedModel::planned(parameters, VitNetwork::new(vit)?, || VitNetwork::new(vit))?;
    EncryptedEngine::new(&config.name, weights, task, files, model)
}

fn preprocessing(steps: &model::Preprocessing) -> Preprocessing {
    Preprocessing {
        size: narrow(steps.size),
        mean: steps.mean,
        std: steps.std,
        pad: narrow(steps.pad),
        patch: narrow(steps.patch),
        stride: narrow(steps.stride),
        convolutions: steps.convolutions.iter().map(convolution).collect(),
    }
}

fn convolution(shape: &model::vit::ConvolutionShape) -> Convolution {
    Convolution {
        channels: narrow(shape.channels),
        size: narrow(shape.size),
        stride: narrow(shape.stride),
        pad: narrow(shape.pad),
    }
}
