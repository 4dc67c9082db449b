//! `cipherformer-server`: loads the models, then serves page and API.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use native_server::{
    KeyLimits, Settings,
    engine::Engine,
    models::{self, LoadError},
    serve,
};
use thiserror::Error;

/// Private inference: computes on ciphertexts that only the client can read.
#[derive(Parser)]
#[command(name = "cipherformer-server", version)]
struct Arguments {
    /// Folder with one folder per model.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Folder of the page; without it only the API is served.
    #[arg(long, default_value = "web")]
    web: PathBuf,
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, alias = "listen", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Memory for clients' keys, in MiB.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    key_memory: u64,
}

#[derive(Debug, Error)]
enum StartError {
    #[error("cannot read the models' folder {folder}: {source}")]
    Folder { folder: String, source: io::Error },
    #[error("no model in {0}: a model is a folder with a config.json")]
    NoModel(String),
    #[error("model {folder}: {source}")]
    Model { folder: String, source: LoadError },
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the server stopped: {0}")]
    Stopped(io::Error),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), StartError> {
    let address = arguments.address;
    // Before the models are loaded, so that a taken port is known at once; nobody is answered until `serve`.
    let listener =
        TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })?;
    let models = load(&arguments.models)?;
    let settings = Settings {
        web: arguments.web.is_dir().then(|| arguments.web.clone()),
        keys: KeyLimits {
            memory: arguments.key_memory << 20,
            ..KeyLimits::default()
        },
        ..Settings::default()
    };
    actix_web::rt::System::new().block_on(async {
        let (address, server) = serve(listener, models, settings).map_err(StartError::Stopped)?;
        println!("Cipherformer is ready: http://{address}/");
        server.await.map_err(StartError::Stopped)
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
