use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use client::model::{Vit, image, labels, top_k};
use protocol::hex::{Digest, Hex};
use serde::Serialize;

use crate::{
    CliError,
    arguments::Evaluate,
    classify::read_image,
    http::Api,
    images::{self, Labelled},
    remote::Remote,
};

const BEST: usize = 5;

/// What is printed. Shares lie between 0 and 1.
#[derive(Serialize)]
struct Report {
    top1: f64,
    top5: f64,
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    agree: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_per_image: Option<f64>,
}

#[derive(Default)]
struct Tally {
    top1: usize,
    top5: usize,
    agree: usize,
    time: Duration,
}

/// Measures a model on labelled images and prints one line of JSON.
pub fn run(arguments: &Evaluate, out: &mut dyn Write) -> Result<(), CliError> {
    let folder = model_folder(&arguments.model)?;
    let vit = Vit::load(&folder)?;
    let labels = labels::load(&folder, &vit.config)?;
    let mut images = images::list(&arguments.images, &labels)?;
    if let Some(limit) = arguments.limit {
        images.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let remote = if arguments.encrypted {
        Some(connect(arguments, &vit, &folder)?)
    } else {
        None
    };
    let mut tally = Tally::default();
    for labelled in &images {
        judge(&vit, remote.as_ref(), labelled, &mut tally)?;
    }
    let n = images.len();
    let share = |count: usize| count as f64 / n as f64;
    let report = Report {
        top1: share(tally.top1),
        top5: share(tally.top5),
        n,
        agree: remote.as_ref().map(|_| share(tally.agree)),
        seconds_per_image: remote.as_ref().map(|_| tally.time.as_secs_f64() / n as f64),
    };
    let line =
        serde_json::to_string(&report).map_err(|error| CliError::Protocol(error.to_string()))?;
    writeln!(out, "{line}")?;
    Ok(())
}

fn judge(
    vit: &Vit,
    remote: Option<&Remote>,
    labelled: &Labelled,
    tally: &mut Tally,
) -> Result<(), CliError> {
    let picture = read_image(&labelled.path)?;
    let clear = vit
        .logits(&image::patches(&picture, &vit.config.preprocessing))
        .to_vec();
    let start = Instant::now();
    let judged = match remote {
        Some(remote) => remote.infer(&picture)?,
        None => clear.clone(),
    };
    tally.time += start.elapsed();
    let best = top_k(&judged, BEST);
    let first = best.first().map(|&(class, _)| class);
    tally.top1 += usize::from(first == Some(labelled.class));
    tally.top5 += usize::from(best.iter().any(|&(class, _)| class == labelled.class));
    tally.agree += usize::from(first == top_k(&clear, 1).first().map(|&(class, _)| class));
    Ok(())
}

// Agreement means something only if both sides have the same weights.
fn connect(arguments: &Evaluate, vit: &Vit, folder: &Path) -> Result<Remote, CliError> {
    let api = Api::new(&arguments.server);
    let manifest = api.manifest(&vit.config.name)?;
    if manifest.weights != weights_digest(folder)? {
        return Err(CliError::OtherModel(manifest.model));
    }
    Remote::connect(api, &manifest)
}

fn weights_digest(folder: &Path) -> Result<Digest, CliError> {
    let mut hasher = blake3::Hasher::new();
    for name in ["config.json", "model.safetensors"] {
        let path = folder.join(name);
        hasher.update(&fs::read(&path).map_err(CliError::read(&path))?);
    }
    Ok(Hex(*hasher.finalize().as_bytes()))
}

fn model_folder(model: &str) -> Result<PathBuf, CliError> {
    [PathBuf::from("models").join(model), PathBuf::from(model)]
        .into_iter()
        .find(|folder| folder.join("config.json").is_file())
        .ok_or_else(|| CliError::NoModel(model.to_owned()))
}
