//! When a key set was made and used, and whether it still may be written.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use protocol::hex::Digest;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use super::name::SetName;

/// Version of [`Record`].
pub const RECORD: u16 = 1;

/// What lies beside the keys of a set; no secret and no capability is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this form.
    pub version: u16,
    /// Model that the keys are for.
    pub model: String,
    /// Key configuration that they were made for.
    pub configuration: Digest,
    /// When the set was made, in milliseconds since 1970.
    pub created: u64,
    /// When it was used last, as far as was noted.
    pub used: u64,
}

/// The life of a stored set.
pub struct Life {
    /// What it is called.
    pub name: SetName,
    model: String,
    configuration: Digest,
    created: u64,
    used: AtomicU64,
    noted: AtomicU64,
    gone: AtomicBool,
    writing: Mutex<()>,
}

impl Life {
    /// The life of a new set.
    pub fn begin(name: SetName, model: &str, configuration: Digest) -> Self {
        let now = now();
        let record = Record {
            version: RECORD,
            model: model.to_owned(),
            configuration,
            created: now,
            used: now,
        };
        Self::resume(name, record)
    }

    /// The life of a set found in the store.
    pub fn resume(name: SetName, record: Record) -> Self {
        Self {
            name,
            model: record.model,
            configuration: record.configuration,
            created: record.created,
            used: AtomicU64::new(record.used),
            noted: AtomicU64::new(record.used),
            gone: AtomicBool::new(false),
            writing: Mutex::new(()),
        }
    }

    /// The record to write now.
    pub fn record(&self) -> Record {
        Record {
            version: RECORD,
            model: self.model.clone(),
            configuration: self.configuration,
            created: self.created,
            used: self.used.load(Ordering::Relaxed),
        }
    }

    /// Notes that the set is in use.
    pub fn touch(&self) {
        self.used.store(now(), Ordering::Relaxed);
    }

    /// Time since the set was used.
    pub fn idle(&self) -> Duration {
        let used = self.used.load(Ordering::Relaxed);
        Duration::from_millis(now().saturating_sub(used))
    }

    /// How far the record in the store lags behind.
    pub fn unnoted(&self) -> Duration {
        let used = self.used.load(Ordering::Relaxed);
        Duration::from_millis(used.saturating_sub(self.noted.load(Ordering::Relaxed)))
    }

    /// A record was written.
    pub fn note(&self, record: &Record) {
        self.noted.store(record.used, Ordering::Relaxed);
    }

    /// From now on nobody finds the set any more.
    pub fn end(&self) {
        self.gone.store(true, Ordering::SeqCst);
    }

    /// Whether the set has ended; what is left of it in the store is to be removed.
    pub fn ended(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    /// Held while something of the set is written or removed; nothing may be written once the set has ended.
    pub async fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }
}

fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
