//! `cipherformer-server`: loads the models, then serves page and API.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use native_server::{
    KeyLimits,
    config::{Arguments, ConfigError},
    engine::Engine,
    models::{self, LoadError},
    serve, telemetry,
};
use protocol::limits;
use thiserror::Error;

#[derive(Debug, Error)]
enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot read the models' folder {folder}: {source}")]
    Folder { folder: String, source: io::Error },
    #[error("no model in {0}: a model is a folder with a config.json")]
    NoModel(String),
    #[error("model {folder}: {source}")]
    Model { folder: String, source: LoadError },
    #[error(
        "--key-memory: {model} needs {needed} MiB for the keys of one client, {room} are not enough"
    )]
    KeyMemory {
        model: String,
        needed: u64,
        room: u64,
    },
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the server cannot start: {0}")]
    Start(io::Error),
    #[error("the server stopped: {0}")]
    Stopped(io::Error),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), StartError> {
    let config = arguments.resolve()?;
    telemetry::begin(config.log, config.log_format);
    let (address, settings) = (config.address, config.settings);
    // Before the models are loaded, so that a taken port is known at once; nobody is answered until `serve`.
    let listener =
        TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })?;
    let models = load(&config.models)?;
    for model in &models {
        fits(model.as_ref(), &settings.keys)?;
    }
    actix_web::rt::System::new().block_on(async {
        let (address, server) = serve(listener, models, settings).map_err(StartError::Start)?;
        println!("Cipherformer is ready: http://{address}/");
        server.await.map_err(StartError::Stopped)
    })
}

// A server that could load no client's keys would take them all and then refuse every inference.
fn fits(model: &dyn Engine, limits: &KeyLimits) -> Result<(), StartError> {
    let manifest = model.manifest();
    let prepared: u64 = (0..manifest.keys.len())
        .map(|key| model.prepared_bytes(key))
        .sum();
    let largest = manifest.keys.iter().map(|key| key.bytes).max().unwrap_or(0);
    let body = largest.min(limits::PART_BYTES as u64);
    if prepared <= limits.prepared() && largest <= limits.arriving() && body <= limits.bodies() {
        return Ok(());
    }
    // Bodies have an eighth of the memory, unfinished keys a quarter, prepared ones the rest.
    let needed = (prepared * 8).div_ceil(5).max(largest * 4).max(body * 8);
    Err(StartError::KeyMemory {
        model: manifest.model.clone(),
        needed: needed.div_ceil(1 << 20),
        room: limits.memory >> 20,
    })
}

fn load(folder: &Path) -> Result<Vec<Arc<dyn Engine>>, StartError> {
    let unreadable = |source| StartError::Folder {
        folder: folder.display().to_string(),
        source,
    };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join("config.json").is_file() {
            folders.push(path);
        }
    }
    if folders.is_empty() {
        return Err(StartError::NoModel(folder.display().to_string()));
    }
    folders.sort();
    folders
        .iter()
        .map(|path| {
            models::load(path).map_err(|source| StartError::Model {
                folder: path.display().to_string(),
                source,
            })
        })
        .collect()
}
