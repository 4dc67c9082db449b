//! Measures a model, in the clear or through a server.

mod comparison;
mod folders;
mod images;
mod perplexity;
mod text;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use client::model::Task;
use protocol::hex::{Digest, Hex};

use crate::{CliError, Stop, arguments::Evaluate, http::Api, keys::KeyRing};

/// Measures and prints one line of JSON.
pub fn run(arguments: &Evaluate, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    match (&arguments.data.images, &arguments.data.text) {
        (Some(images), _) => images::run(arguments, images, out, stop),
        (None, Some(text)) => text::run(arguments, text, out, stop),
        // The command line asks for one of them.
        (None, None) => Ok(()),
    }
}

const CONFIG: &str = "config.json";

// Agreement means something only if both sides have the same weights.
fn connect(
    arguments: &Evaluate,
    model: &str,
    folder: &Path,
    stop: &Stop,
) -> Result<(Api, KeyRing), CliError> {
    let api = Api::new(&arguments.server.server, stop);
    let manifest = api.manifest(model)?;
    if manifest.weights != weights_digest(folder)? {
        return Err(CliError::OtherModel(manifest.model));
    }
    // What is printed and recorded depends on decryptions, and people publish it: never under a key that is used for anything else.
    let keys = KeyRing::fresh(&manifest)?;
    // Checked by what made the keys: the names of its files lead nowhere out of the folder.
    for file in manifest.task.files() {
        let path = folder.join(&file.name);
        if !file.is(&fs::read(&path).map_err(CliError::read(&path))?) {
            return Err(CliError::OtherModel(manifest.model));
        }
    }
    Ok((api, keys))
}

fn weights_digest(folder: &Path) -> Result<Digest, CliError> {
    let mut hasher = blake3::Hasher::new();
    for name in [CONFIG, "model.safetensors"] {
        let path = folder.join(name);
        hasher.update(&fs::read(&path).map_err(CliError::read(&path))?);
    }
    Ok(Hex(*hasher.finalize().as_bytes()))
}

/// The folder of a model that does `task`.
fn model_folder(model: &str, task: Task) -> Result<PathBuf, CliError> {
    let folder = [PathBuf::from("models").join(model), PathBuf::from(model)]
        .into_iter()
        .find(|folder| folder.join(CONFIG).is_file())
        .ok_or_else(|| CliError::NoModel(model.to_owned()))?;
    let path = folder.join(CONFIG);
    let config = fs::read(&path).map_err(CliError::read(&path))?;
    match (Task::of(&config)?, task) {
        (Task::Complete, Task::Classify) => Err(CliError::NotForImages(model.to_owned())),
        (Task::Classify, Task::Complete) => Err(CliError::NotForText(model.to_owned())),
        _ => Ok(folder),
    }
}
