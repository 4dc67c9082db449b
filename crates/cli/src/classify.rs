use std::{io::Write, path::Path, time::Instant};

use client::{Rgb32, model::image};
use protocol::manifest::TaskKind;
use serde::Serialize;

use crate::{
    CliError, Stop,
    arguments::Classify,
    http::Api,
    keys::KeyRing,
    remote::Remote,
    report::{one_line, print},
};

const BEST: usize = 5;

/// Reads and decodes an image file.
pub fn read_image(path: &Path) -> Result<Rgb32, CliError> {
    // Checked before reading: a file that is too long must not fill the memory first.
    let length = std::fs::metadata(path).map_err(CliError::read(path))?.len();
    if length > image::FILE_LIMIT as u64 {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let source = image::ImageError::FileTooLong {
            length,
            limit: image::FILE_LIMIT,
        };
        return Err(CliError::Image {
            path: path.display().to_string(),
            source,
        });
    }
    let bytes = std::fs::read(path).map_err(CliError::read(path))?;
    image::decode(&bytes).map_err(|source| CliError::Image {
        path: path.display().to_string(),
        source,
    })
}

/// What is printed with `--json`.
#[derive(Serialize)]
struct Report {
    model: String,
    classes: Vec<Class>,
    /// From the query to its answer.
    seconds: f64,
}

#[derive(Serialize)]
struct Class {
    label: String,
    /// Rounded: digits beyond the fourth are noise, and publishing them would harm the key (SECURITY.md).
    probability: f64,
}

/// Classifies one image and prints the best classes.
pub fn run(arguments: &Classify, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    let image = read_image(&arguments.image)?;
    let api = Api::new(&arguments.server.server, stop);
    let manifest = api.model(arguments.model.as_deref(), TaskKind::Classify)?;
    let keys = KeyRing::open(&api, &manifest, arguments.keep_keys)?;
    let remote = Remote::connect(api, keys, stop)?;
    let start = Instant::now();
    let logits = remote.classify(&image)?;
    let seconds = start.elapsed().as_secs_f64();
    let classes = remote.session().classify(&logits, BEST)?;
    let classes: Vec<_> = classes
        .into_iter()
        .map(|ranked| Class {
            label: one_line(&ranked.label),
            probability: (f64::from(ranked.probability) * 1e4).round() / 1e4,
        })
        .collect();
    if arguments.json {
        let model = manifest.model;
        return print(
            &Report {
                model,
                classes,
                seconds,
            },
            out,
        );
    }
    for Class { label, probability } in classes {
        writeln!(out, "{probability:.4}\t{label}")?;
    }
    Ok(())
}
