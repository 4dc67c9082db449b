//! From settings to a listening server.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_files::Files;
use actix_web::{App, HttpServer, dev::Server, guard, web};

use crate::{
    engine::Engine,
    error, headers,
    jobs::{JobLimits, Jobs},
    key_store::{KeyLimits, KeyStore},
    routes,
};

// Requests only move bytes; the cores belong to the evaluation.
const HTTP_WORKERS: usize = 2;
const CONNECTIONS_PER_WORKER: usize = 128;
const SWEEP: Duration = Duration::from_secs(15);

/// Bounds and folders of a server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folder of the page, if one is served.
    pub web: Option<PathBuf>,
    /// Bounds of the key store.
    pub keys: KeyLimits,
    /// Bounds of the queue.
    pub jobs: JobLimits,
}

/// Everything that requests share.
pub struct State {
    /// Models by id.
    pub(crate) models: BTreeMap<String, Arc<dyn Engine>>,
    /// Key sets.
    pub(crate) keys: KeyStore,
    /// Inferences.
    pub(crate) jobs: Jobs,
}

impl State {
    /// Nothing uploaded, nothing running.
    ///
    /// # Errors
    /// When the system refuses the evaluation thread.
    pub fn new(
        models: impl IntoIterator<Item = Arc<dyn Engine>>,
        settings: &Settings,
    ) -> io::Result<Self> {
        let models = models
            .into_iter()
            .map(|model| (model.manifest().model.clone(), model))
            .collect();
        Ok(Self {
            models,
            keys: KeyStore::new(settings.keys),
            jobs: Jobs::start(settings.jobs)?,
        })
    }
}

/// Starts serving; returns the address and the server to await.
///
/// # Errors
/// When the address cannot be bound or a thread cannot be started.
pub fn serve(
    listener: TcpListener,
    models: impl IntoIterator<Item = Arc<dyn Engine>>,
    settings: Settings,
) -> io::Result<(SocketAddr, Server)> {
    let state = web::Data::new(State::new(models, &settings)?);
    let address = listener.local_addr()?;
    let sweeper = state.clone();
    actix_web::rt::spawn(async move {
        let mut beat = tokio::time::interval(SWEEP);
        loop {
            beat.tick().await;
            sweeper.keys.expire();
            sweeper.jobs.expire();
        }
    });
    let web = settings.web;
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(state.clone())
            .app_data(error::json_config())
            .app_data(error::path_config())
            .app_data(error::query_config())
            .wrap(headers::security())
            .configure(routes::configure)
            .default_service(web::to(error::not_found));
        match &web {
            Some(folder) => app.service(page(folder.clone())),
            None => app,
        }
    })
    .workers(HTTP_WORKERS)
    .max_connections(CONNECTIONS_PER_WORKER)
    .shutdown_timeout(2)
    .listen(listener)?
    .run();
    Ok((address, server))
}

fn page(folder: PathBuf) -> Files {
    Files::new("/", folder)
        .index_file("index.html")
        .guard(guard::Any(guard::Get()).or(guard::Head()))
        .default_handler(web::to(error::not_found))
}
