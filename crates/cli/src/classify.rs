use std::{io::Write, path::Path};

use client::{Rgb32, model::image};
use protocol::manifest::TaskKind;

use crate::{
    CliError, Stop,
    arguments::Classify,
    http::Api,
    remote::{Remote, session},
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

/// Classifies one image and prints the best classes.
pub fn run(arguments: &Classify, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    let image = read_image(&arguments.image)?;
    let api = Api::new(&arguments.server);
    let manifest = api.model(arguments.model.as_deref(), TaskKind::Classify)?;
    let remote = Remote::connect(api, session(&manifest)?, stop)?;
    let logits = remote.classify(&image)?;
    for ranked in remote.session().classify(&logits, BEST)? {
        let label: String = ranked
            .label
            .chars()
            .filter(|letter| !letter.is_control())
            .collect();
        writeln!(out, "{:.4}\t{label}", ranked.probability)?;
    }
    Ok(())
}
