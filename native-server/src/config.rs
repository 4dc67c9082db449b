//! Configuration: flags before environment before file before defaults.

use std::{
    fs,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clap::{Args, Parser};
use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

use crate::{
    http::rate::RateLimits,
    jobs::JobLimits,
    keys::{KeyLimits, KeyPlace},
    server::Settings,
    telemetry::{LogFormat, LogLevel},
};

/// Private inference: computes on ciphertexts that only the client can read.
#[derive(Debug, Parser)]
#[command(name = "cipherformer-server", version)]
pub struct Arguments {
    /// TOML file with any of the options below, named as here with `_` for `-`.
    #[arg(long, env = "CIPHERFORMER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// What can be configured; nothing is a default yet.
#[derive(Args, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Folder with one folder per model [default: models]
    #[arg(long, env = "CIPHERFORMER_MODELS", value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// Folder of the page; without it only the API is served [default: web]
    #[arg(long, env = "CIPHERFORMER_WEB", value_name = "FOLDER")]
    web: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, alias = "listen", env = "CIPHERFORMER_ADDRESS")]
    address: Option<SocketAddr>,
    /// Where keys are stored: a folder, file:///folder, memory:/// or, in builds with S3, s3://bucket/prefix
    /// [default: $STATE_DIRECTORY/keys, $XDG_STATE_HOME/cipherformer/keys or ~/.local/state/cipherformer/keys]
    #[arg(long, env = "CIPHERFORMER_KEY_STORE", value_name = "URL")]
    key_store: Option<String>,
    /// Memory for arriving and prepared keys, in MiB [default: 2048]
    #[arg(long, env = "CIPHERFORMER_KEY_MEMORY", value_name = "MIB")]
    key_memory: Option<NonZeroU32>,
    /// Room for stored keys, in MiB [default: 16384]
    #[arg(long, env = "CIPHERFORMER_KEY_DISK", value_name = "MIB")]
    key_disk: Option<NonZeroU32>,
    /// Time without use after which a key set is removed [default: 7days]
    #[arg(long, env = "CIPHERFORMER_KEY_EXPIRY", value_name = "TIME")]
    key_expiry: Option<Period>,
    /// Time for which results are kept [default: 5min]
    #[arg(long, env = "CIPHERFORMER_RESULT_EXPIRY", value_name = "TIME")]
    result_expiry: Option<Period>,
    /// Time that one inference may take [default: 10min]
    #[arg(long, env = "CIPHERFORMER_JOB_TIME", value_name = "TIME")]
    job_time: Option<Period>,
    /// Inferences that may wait [default: 16]
    #[arg(long, env = "CIPHERFORMER_QUEUE", value_name = "NUMBER")]
    queue: Option<NonZeroU32>,
    /// Inferences of one key set that may wait [default: 4]
    #[arg(long, env = "CIPHERFORMER_QUEUE_PER_SET", value_name = "NUMBER")]
    queue_per_set: Option<NonZeroU32>,
    /// Requests a second of one address in the long run; 0 is no limit [default: 100]
    #[arg(long, env = "CIPHERFORMER_REQUESTS_PER_SECOND", value_name = "NUMBER")]
    requests_per_second: Option<u32>,
    /// Requests of one address at once [default: 1000]
    #[arg(long, env = "CIPHERFORMER_REQUEST_BURST", value_name = "NUMBER")]
    request_burst: Option<NonZeroU32>,
    /// New key sets a minute of one address; 0 is no limit [default: 30]
    #[arg(long, env = "CIPHERFORMER_KEY_SETS_PER_MINUTE", value_name = "NUMBER")]
    key_sets_per_minute: Option<u32>,
    /// Networks of proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(
        long,
        env = "CIPHERFORMER_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    trusted_proxies: Option<Vec<IpNet>>,
    /// Time that running inferences have when the server is told to end [default: 20s]
    #[arg(long, env = "CIPHERFORMER_GRACE", value_name = "TIME")]
    grace: Option<Period>,
    /// How much is logged; `debug` has a line for every request [default: info]
    #[arg(long, env = "CIPHERFORMER_LOG", value_name = "LEVEL")]
    log: Option<LogLevel>,
    /// Form of the log on standard error [default: text]
    #[arg(long, env = "CIPHERFORMER_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

/// A time as people write it: `90s`, `5min`, `7days`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Period(Duration);

impl FromStr for Period {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Self)
    }
}

impl TryFrom<String> for Period {
    type Error = humantime::DurationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Everything that a server needs to start.
#[derive(Debug)]
pub struct Config {
    /// Folder with one folder per model.
    pub models: PathBuf,
    /// Where to listen.
    pub address: SocketAddr,
    /// How much is logged.
    pub log: LogLevel,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Bounds and folders.
    pub settings: Settings,
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file says something that is no option, or no value of it.
    #[error("configuration {file}{line}: {reason}")]
    Content {
        /// The file.
        file: String,
        /// `, line 3`, where it is known.
        line: String,
        /// What is wrong.
        reason: String,
    },
    /// No place for the keys of clients.
    #[error("--key-store: {0}")]
    KeyStore(String),
}

impl Arguments {
    /// Reads the file, if there is one, and fills in what nobody said.
    ///
    /// # Errors
    /// A [`ConfigError`] of one line.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = self
            .config
            .as_deref()
            .map_or_else(|| Ok(Options::default()), read)?;
        self.options.or(file).resolve()
    }
}

fn read(file: &Path) -> Result<Options, ConfigError> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|source| ConfigError::Read {
        file: name.clone(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or_else(String::new, |before| {
            format!(", line {}", before.matches('\n').count() + 1)
        });
        ConfigError::Content {
            file: name,
            line,
            reason: error.message().replace('\n', " "),
        }
    })
}

impl Options {
    fn or(self, other: Self) -> Self {
        Self {
            models: self.models.or(other.models),
            web: self.web.or(other.web),
            address: self.address.or(other.address),
            key_store: self.key_store.or(other.key_store),
            key_memory: self.key_memory.or(other.key_memory),
            key_disk: self.key_disk.or(other.key_disk),
            key_expiry: self.key_expiry.or(other.key_expiry),
            result_expiry: self.result_expiry.or(other.result_expiry),
            job_time: self.job_time.or(other.job_time),
            queue: self.queue.or(other.queue),
            queue_per_set: self.queue_per_set.or(other.queue_per_set),
            requests_per_second: self.requests_per_second.or(other.requests_per_second),
            request_burst: self.request_burst.or(other.request_burst),
            key_sets_per_minute: self.key_sets_per_minute.or(other.key_sets_per_minute),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            grace: self.grace.or(other.grace),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
        }
    }

    fn resolve(self) -> Result<Config, ConfigError> {
        let usual = Settings::default();
        let web = self.web.clone().unwrap_or_else(|| "web".into());
        Ok(Config {
            models: self.models.clone().unwrap_or_else(|| "models".into()),
            address: self
                .address
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            log: self.log.unwrap_or_default(),
            log_format: self.log_format.unwrap_or_default(),
            settings: Settings {
                web: web.is_dir().then_some(web),
                key_place: self.key_place()?,
                keys: self.keys(),
                jobs: self.jobs(),
                rates: self.rates(),
                grace: self.grace.map_or(usual.grace, |grace| grace.0),
                ..usual
            },
        })
    }

    fn key_place(&self) -> Result<KeyPlace, ConfigError> {
        match &self.key_store {
            Some(text) => text.parse().map_err(ConfigError::KeyStore),
            None => KeyPlace::usual().ok_or_else(|| {
                ConfigError::KeyStore(
                    "there is no home folder to store keys in: name a folder, or memory:///"
                        .to_owned(),
                )
            }),
        }
    }

    fn keys(&self) -> KeyLimits {
        let usual = KeyLimits::default();
        let bytes = |mebibytes: NonZeroU32| u64::from(mebibytes.get()) << 20;
        KeyLimits {
            memory: self.key_memory.map_or(usual.memory, bytes),
            disk: self.key_disk.map_or(usual.disk, bytes),
            expiry: self.key_expiry.map_or(usual.expiry, |period| period.0),
            ..usual
        }
    }

    fn jobs(&self) -> JobLimits {
        let usual = JobLimits::default();
        let number = |number: NonZeroU32| number.get() as usize;
        JobLimits {
            waiting: self.queue.map_or(usual.waiting, number),
            waiting_per_set: self.queue_per_set.map_or(usual.waiting_per_set, number),
            keep: self.result_expiry.map_or(usual.keep, |period| period.0),
            time: self.job_time.map_or(usual.time, |period| period.0),
            ..usual
        }
    }

    fn rates(&self) -> RateLimits {
        RateLimits {
            requests_per_second: NonZeroU32::new(self.requests_per_second.unwrap_or(100)),
            burst: self.request_burst.or(NonZeroU32::new(1000)),
            key_sets_per_minute: NonZeroU32::new(self.key_sets_per_minute.unwrap_or(30)),
            trusted_proxies: self.trusted_proxies.clone().unwrap_or_default(),
        }
    }
}
