//! Models in folders, made ready for encrypted evaluation.

mod describe;
mod encrypted;
mod lm;
mod vit;

use std::{fs, io, path::Path, sync::Arc};

use model::{ModelError, Task};
use protocol::{
    ckks::WireError,
    hex::{Digest, Hex},
    manifest::{Manifest, ManifestError},
    measured::{Encrypted, RECORD, Record},
};
use thiserror::Error;
use transformer::TransformerError;

pub use lm::language_model;
pub use vit::vision_transformer;

use crate::engine::Engine;

/// Why a model cannot be served.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The record of encrypted measurements is none.
    #[error("{path}: {source}")]
    Record {
        /// The file.
        path: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The model's files are not a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model cannot be evaluated under these parameters.
    #[error(transparent)]
    Plan(#[from] TransformerError),
    /// A planned ciphertext does not fit the parameters.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The plan does not fit into a manifest that clients accept.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Reads a model's folder and plans the encrypted evaluation under the shortest released parameters that fit; the weights are encoded when
/// the first key set is opened.
///
/// # Errors
/// A [`LoadError`]; a model that cannot be evaluated is found out here and not by a client.
pub fn load(folder: &Path) -> Result<Arc<dyn Engine>, LoadError> {
    let config = read(&folder.join("config.json"))?;
    match Task::of(&config)? {
        Task::Classify => vit::load(folder, &config),
        Task::Complete => lm::load(folder, &config),
    }
}

/// Name and content of a file that clients may download.
type File = (&'static str, Vec<u8>);

/// The clear model and its card, for whoever wants to compare. The card is not needed to serve the model.
fn public_files(folder: &Path, config: &[u8], weights: Vec<u8>) -> Vec<File> {
    let mut files = vec![
        ("config.json", config.to_vec()),
        ("model.safetensors", weights),
    ];
    files.extend(fs::read(folder.join("README.md")).map(|card| ("README.md", card)));
    files
}

/// What `cipherformer evaluate --encrypted --record` left in the folder, if it is about this very model.
fn recorded(folder: &Path, manifest: &Manifest) -> Result<Option<Encrypted>, LoadError> {
    let path = folder.join(RECORD);
    if !path.exists() {
        return Ok(None);
    }
    let record: Record =
        serde_json::from_slice(&read(&path)?).map_err(|source| LoadError::Record {
            path: path.display().to_string(),
            source,
        })?;
    if record.is_of(manifest) {
        return Ok(Some(record.encrypted));
    }
    tracing::warn!(
        model = manifest.model,
        "{RECORD} is of other weights or parameters and not shown"
    );
    Ok(None)
}

fn weights_digest(config: &[u8], weights: &[u8]) -> Digest {
    let digest = blake3::Hasher::new()
        .update(config)
        .update(weights)
        .finalize();
    Hex(*digest.as_bytes())
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|source| LoadError::Read {
        path: path.display().to_string(),
        source,
    })
}
