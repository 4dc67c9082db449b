//! Finished keys and the records of their sets in an object store.
//!
//! ```text
//! <set name>/set.json     the record
//! <set name>/<key>.key    the container as it was uploaded
//! ```

use std::{collections::BTreeMap, error::Error, fs::File, future::Future, io, sync::Arc};

use actix_web::web::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use protocol::problem::{Problem, ProblemKind};
use thiserror::Error;
use tokio::{runtime::Runtime, task::JoinError};

use super::{
    life::Record,
    name::SetName,
    place::{KeyPlace, PlaceError},
};

const RECORD: &str = "set.json";
const KEY: &str = ".key";

// Larger ones were not written by us.
const RECORD_BYTES: u64 = 4 << 10;
const AT_A_TIME: usize = 8;

// No room on the disk, in the user's quota, or under the limit of the process.
const FULL: [io::ErrorKind; 3] = [
    io::ErrorKind::StorageFull,
    io::ErrorKind::QuotaExceeded,
    io::ErrorKind::FileTooLarge,
];

/// The store, worked on by threads of its own: a slow disk holds up no request of others.
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    runtime: Option<Runtime>,
    _lock: Option<File>,
}

/// Why something could not be stored, read or removed.
#[derive(Debug, Error)]
pub enum StorageError {
    /// There is no room on the disk.
    #[error("the disk is full")]
    Full,
    /// It is not there, or not what was stored.
    #[error("not there")]
    Missing,
    /// The store fails.
    #[error("{0}")]
    Failed(String),
}

/// What the store holds of one set.
#[derive(Debug, Default)]
pub struct Found {
    /// Its record, unless it is missing or unreadable.
    pub record: Option<Record>,
    /// Names and sizes of its keys.
    pub keys: Vec<(String, u64)>,
}

impl Storage {
    /// Opens the place.
    ///
    /// # Errors
    /// A [`PlaceError`].
    pub fn open(place: &KeyPlace) -> Result<Self, PlaceError> {
        let (store, lock) = place.open()?;
        Self::over(store, lock)
    }

    /// Works on an open store.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn over(store: Arc<dyn ObjectStore>, lock: Option<File>) -> Result<Self, PlaceError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(AT_A_TIME)
            .thread_name("storage")
            .enable_all()
            .build()
            .map_err(PlaceError::Thread)?;
        Ok(Self {
            store,
            runtime: Some(runtime),
            _lock: lock,
        })
    }

    /// Stores a finished key: afterwards it is there as a whole, or not at all.
    pub async fn put_key(
        &self,
        set: SetName,
        key: &str,
        parts: Vec<Bytes>,
    ) -> Result<(), StorageError> {
        self.put(key_path(set, key), parts.into_iter().collect())
            .await
    }

    /// Stores the record of a set.
    pub async fn put_record(&self, set: SetName, record: &Record) -> Result<(), StorageError> {
        let text =
            serde_json::to_vec(record).map_err(|error| StorageError::Failed(error.to_string()))?;
        self.put(set_path(set).join(RECORD), text.into()).await
    }

    /// Reads a key of exactly `bytes` bytes; blocks, so not for async workers.
    pub fn read_key(&self, set: SetName, key: &str, bytes: u64) -> Result<Bytes, StorageError> {
        let (store, path) = (Arc::clone(&self.store), key_path(set, key));
        self.blocking(async move {
            let found = store.get(&path).await?;
            if found.meta.size != bytes {
                return Err(StorageError::Missing);
            }
            Ok(found.bytes().await?)
        })
    }

    /// Removes a key that turned out damaged; blocks.
    pub fn remove_key(&self, set: SetName, key: &str) -> Result<(), StorageError> {
        let (store, path) = (Arc::clone(&self.store), key_path(set, key));
        self.blocking(async move { remove(&*store, &path).await })
    }

    /// Removes a set.
    pub async fn remove_set(&self, set: SetName) -> Result<(), StorageError> {
        self.spawned(remove_all(Arc::clone(&self.store), set_path(set)))
            .await
    }

    /// The same; blocks.
    pub fn remove_set_now(&self, set: SetName) -> Result<(), StorageError> {
        self.blocking(remove_all(Arc::clone(&self.store), set_path(set)))
    }

    /// Everything that is stored; blocks.
    pub fn scan(&self) -> Result<Vec<(SetName, Found)>, StorageError> {
        let store = Arc::clone(&self.store);
        self.blocking(async move {
            let objects: Vec<_> = store.list(None).try_collect().await?;
            let mut sets: BTreeMap<String, (Found, Option<Path>)> = BTreeMap::new();
            for object in objects {
                let parts: Vec<_> = object
                    .location
                    .parts()
                    .map(|part| part.as_ref().to_owned())
                    .collect();
                let [set, file] = &parts[..] else {
                    continue;
                };
                let (found, record) = sets.entry(set.clone()).or_default();
                if file == RECORD && object.size <= RECORD_BYTES {
                    *record = Some(object.location);
                } else if let Some(key) = file.strip_suffix(KEY) {
                    found.keys.push((key.to_owned(), object.size));
                }
            }
            let sets = sets
                .into_iter()
                .filter_map(|(name, set)| Some((name.parse().ok()?, set)));
            stream::iter(sets)
                .map(|(name, (found, path))| {
                    let store = Arc::clone(&store);
                    async move {
                        let record = match path {
                            Some(path) => {
                                serde_json::from_slice(&store.get(&path).await?.bytes().await?).ok()
                            }
                            None => None,
                        };
                        Ok::<_, StorageError>((name, Found { record, ..found }))
                    }
                })
                .buffer_unordered(AT_A_TIME)
                .try_collect()
                .await
        })
    }

    async fn put(&self, path: Path, payload: PutPayload) -> Result<(), StorageError> {
        let store = Arc::clone(&self.store);
        self.spawned(async move { Ok(store.put(&path, payload).await.map(drop)?) })
            .await
    }

    fn runtime(&self) -> Result<&Runtime, StorageError> {
        self.runtime
            .as_ref()
            .ok_or_else(|| StorageError::Failed("closed".to_owned()))
    }

    async fn spawned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.runtime()?.spawn(work).await?
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.runtime()?
            .spawn(async move { sender.send(work.await) });
        receiver
            .recv()
            .map_err(|_| StorageError::Failed("the store's thread ended".to_owned()))?
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for its threads is not allowed where the last request may drop this.
            runtime.shutdown_background();
        }
    }
}

fn set_path(set: SetName) -> Path {
    Path::from(set.to_string())
}

fn key_path(set: SetName, key: &str) -> Path {
    set_path(set).join(format!("{key}{KEY}"))
}

// The record goes first: what a crash leaves without one is removed at the next start.
async fn remove_all(store: Arc<dyn ObjectStore>, set: Path) -> Result<(), StorageError> {
    remove(&*store, &set.clone().join(RECORD)).await?;
    let left: Vec<_> = store
        .list(Some(&set))
        .map_ok(|meta| meta.location)
        .try_collect()
        .await?;
    for path in left {
        remove(&*store, &path).await?;
    }
    Ok(())
}

async fn remove(store: &dyn ObjectStore, path: &Path) -> Result<(), StorageError> {
    match store.delete(path).await {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        outcome => Ok(outcome?),
    }
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return Self::Missing;
        }
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if kind.is_some_and(|kind| FULL.contains(&kind)) {
                return Self::Full;
            }
            cause = error.source();
        }
        Self::Failed(error.to_string())
    }
}

impl From<JoinError> for StorageError {
    fn from(error: JoinError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StorageError> for Problem {
    // The store's own words name folders and hosts: they go to the log, not to the client.
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "key store");
        match error {
            StorageError::Full => Self::new(ProblemKind::DiskFull, "nothing was stored"),
            StorageError::Missing | StorageError::Failed(_) => Self::new(
                ProblemKind::StorageFailed,
                "the key store did not do what it was asked",
            ),
        }
    }
}
