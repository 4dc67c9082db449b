//! From settings to a listening server.

use std::{
    collections::BTreeMap,
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_files::Files;
use actix_web::{App, HttpServer, guard, middleware::from_fn, rt, web};

use crate::{
    engine::Engine,
    http::{
        error, headers,
        observe::observe,
        rate::{self, RateLimits, Rates},
    },
    jobs::{JobLimits, Jobs},
    keys::{KeyLimits, KeyPlace, KeyStore},
    routes, shutdown,
    telemetry::Metrics,
};

// Requests only move bytes; the cores belong to the evaluation.
const HTTP_WORKERS: usize = 2;
const CONNECTIONS_PER_WORKER: usize = 128;
const SWEEP: Duration = Duration::from_secs(15);

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request.
    pub head: Duration,
    /// Between two pieces of a body. A connection that says nothing is dead or means ill, and the room it holds is others' by then.
    pub silence: Duration,
    /// For a whole body.
    pub body: Duration,
    /// Before the next request of an open connection.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            body: Duration::from_secs(120),
            idle: Duration::from_secs(15),
        }
    }
}

/// Bounds and folders of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the page, if one is served.
    pub web: Option<PathBuf>,
    /// Where keys are stored.
    pub key_place: KeyPlace,
    /// Bounds of the key store.
    pub keys: KeyLimits,
    /// Bounds of the queue.
    pub jobs: JobLimits,
    /// How often one address may ask; any number of times by default.
    pub rates: RateLimits,
    /// How long a client may take.
    pub patience: Patience,
    /// Time that running inferences have when the server is told to end.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            web: None,
            key_place: KeyPlace::default(),
            keys: KeyLimits::default(),
            jobs: JobLimits::default(),
            rates: RateLimits::default(),
            patience: Patience::default(),
            grace: Duration::from_secs(20),
        }
    }
}

/// Everything that requests share.
pub struct State {
    /// Models by id.
    pub(crate) models: BTreeMap<String, Arc<dyn Engine>>,
    /// Key sets.
    pub(crate) keys: Arc<KeyStore>,
    /// Inferences.
    pub(crate) jobs: Jobs,
    /// Numbers.
    pub(crate) metrics: Arc<Metrics>,
    /// Who asked how often.
    pub(crate) rates: Rates,
    /// How long a client may take.
    pub(crate) patience: Patience,
}

impl State {
    /// The key sets of an earlier run, and nothing running.
    ///
    /// # Errors
    /// When the key store cannot be used or the system refuses a thread.
    pub fn new(
        models: impl IntoIterator<Item = Arc<dyn Engine>>,
        settings: &Settings,
    ) -> io::Result<Self> {
        let models = models
            .into_iter()
            .map(|model| (model.manifest().model.clone(), model))
            .collect();
        let keys = KeyStore::open(settings.keys, &settings.key_place, &models);
        let keys = Arc::new(keys.map_err(io::Error::other)?);
        let metrics = Arc::new(Metrics::default());
        Ok(Self {
            models,
            jobs: Jobs::start(settings.jobs, Arc::clone(&keys), Arc::clone(&metrics))?,
            keys,
            metrics,
            rates: Rates::new(&settings.rates),
            patience: settings.patience,
        })
    }
}

/// Starts serving; returns the address and the server to await. It ends on SIGTERM and SIGINT.
///
/// # Errors
/// When the address or the key store cannot be used or a thread cannot be started.
pub fn serve(
    listener: TcpListener,
    models: impl IntoIterator<Item = Arc<dyn Engine>>,
    settings: Settings,
) -> io::Result<(SocketAddr, impl Future<Output = io::Result<()>>)> {
    let state = web::Data::new(State::new(models, &settings)?);
    let address = listener.local_addr()?;
    let sweeper = rt::spawn(sweep(state.clone()));
    let end = shutdown::drained(state.clone().into_inner(), settings.grace)?;
    let (shared, web) = (state.clone(), settings.web);
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(shared.clone())
            .app_data(error::json_config())
            .app_data(error::path_config())
            .app_data(error::query_config())
            // The last one is the outermost: what the limit refuses is counted and has the headers too.
            .wrap(from_fn(rate::limit))
            .wrap(from_fn(observe))
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
    .client_request_timeout(settings.patience.head)
    .keep_alive(settings.patience.idle)
    .shutdown_signal(end)
    .shutdown_timeout(2)
    .listen(listener)?
    .run();
    let ended = async move {
        let outcome = server.await;
        sweeper.abort();
        state.keys.note_all().await;
        tracing::info!("ended");
        outcome
    };
    Ok((address, ended))
}

async fn sweep(state: web::Data<State>) {
    let mut beat = tokio::time::interval(SWEEP);
    loop {
        beat.tick().await;
        state.keys.sweep().await;
        state.jobs.expire();
        state.rates.sweep();
    }
}

fn page(folder: PathBuf) -> Files {
    Files::new("/", folder)
        .index_file("index.html")
        .guard(guard::Any(guard::Get()).or(guard::Head()))
        .default_handler(web::to(error::not_found))
}
