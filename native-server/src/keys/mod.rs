//! All key sets: on disk for as long as they are used, in memory as far as there is room.

mod life;
mod load;
mod name;
mod place;
mod quota;
mod restore;
mod room;
mod set;
mod storage;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::rt;
use protocol::{
    ckks::Seed,
    hex::{Capability, Hex},
    problem::{Problem, ProblemKind},
};

use self::{life::Life, quota::Quota, room::Memory, storage::Storage};
pub use self::{
    name::SetName,
    place::{KeyPlace, PlaceError},
    set::{Complete, KeySet, container_problem},
};
use crate::engine::Engine;

/// Bounds of the key store.
#[derive(Clone, Copy, Debug)]
pub struct KeyLimits {
    /// Memory for arriving and prepared keys, in bytes.
    pub memory: u64,
    /// Room for stored keys, in bytes.
    pub disk: u64,
    /// Sets held at a time.
    pub sets: usize,
    /// Time without use after which a set is removed.
    pub expiry: Duration,
    /// Time without use after which a set may be removed to make room for another.
    pub grace: Duration,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            disk: 16 << 30,
            sets: 4096,
            expiry: Duration::from_secs(7 * 24 * 60 * 60),
            grace: Duration::from_secs(60),
        }
    }
}

/// All key sets.
pub struct KeyStore {
    limits: KeyLimits,
    memory: Memory,
    disk: Quota,
    storage: Storage,
    sets: Mutex<HashMap<SetName, Entry>>,
}

#[derive(Clone)]
enum Entry {
    Live(Arc<KeySet>),
    // Stored for a model or a configuration that this server does not have now.
    Retired(Arc<Retired>),
}

struct Retired {
    life: Life,
    _disk: Vec<quota::Charge>,
}

/// What the store holds, in numbers.
#[derive(Clone, Copy, Debug)]
pub struct KeyUse {
    /// Sets.
    pub sets: usize,
    /// Bytes of arriving and prepared keys.
    pub memory: u64,
    /// Bytes of stored keys.
    pub disk: u64,
}

impl KeyStore {
    /// Makes an empty set for a model.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] when too many sets are in use, or the problem of the store.
    pub async fn create(
        &self,
        engine: Arc<dyn Engine>,
    ) -> Result<(Capability, Arc<KeySet>), Problem> {
        // Creating sets is free for the client, so it must not push out sets that hold keys.
        if self.lock().len() >= self.limits.sets
            && !self.discard_oldest(|entry| entry.is_empty()).await
        {
            let detail = format_args!("{} key sets are in use", self.limits.sets);
            return Err(Problem::new(ProblemKind::KeyStoreFull, detail));
        }
        let id = new_capability()?;
        let manifest = engine.manifest();
        let life = Life::begin(id.into(), &manifest.model, manifest.configuration);
        let set = Arc::new(KeySet::new(life, engine));
        let name = set.life.name;
        self.storage.put_record(name, &set.life.record()).await?;
        self.lock().insert(name, Entry::Live(Arc::clone(&set)));
        Ok((id, set))
    }

    /// The set with this id, marked as used.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownKeySet`], or [`ProblemKind::RetiredConfiguration`] when its keys are of no use any more.
    pub fn get(&self, id: Capability) -> Result<Arc<KeySet>, Problem> {
        let entry = self
            .lock()
            .get(&id.into())
            .filter(|entry| !entry.life().ended())
            .cloned();
        match entry.ok_or_else(unknown)? {
            Entry::Live(set) => {
                set.life.touch();
                Ok(set)
            }
            Entry::Retired(_) => {
                let detail = "the keys were made for a model or a configuration that this server no longer has";
                Err(Problem::new(ProblemKind::RetiredConfiguration, detail))
            }
        }
    }

    /// Removes a set from memory and disk. Its memory is free once nothing computes with it.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownKeySet`], or the problem of the store; the set is of no use then, and can be removed again.
    pub async fn remove(&self, id: Capability) -> Result<(), Problem> {
        let entry = self.lock().get(&id.into()).cloned();
        self.discard(&entry.ok_or_else(unknown)?).await
    }

    /// Checks, prepares and stores a key whose parts are all there.
    ///
    /// # Errors
    /// The problem to answer with; the key is missing again then.
    pub async fn complete(
        self: &Arc<Self>,
        set: Arc<KeySet>,
        complete: Complete,
    ) -> Result<(), Problem> {
        let (keys, key, owner) = (Arc::clone(self), complete.key(), Arc::clone(&set));
        // A task of its own: a client that hangs up leaves no key between missing and stored.
        let finish = rt::spawn(async move {
            let outcome = keys.finish(&set, complete).await;
            if outcome.is_err() {
                set.lost(key);
            }
            outcome
        });
        finish.await.unwrap_or_else(|error| {
            owner.lost(key);
            Err(Problem::new(ProblemKind::Internal, error))
        })
    }

    async fn finish(&self, set: &Arc<KeySet>, complete: Complete) -> Result<(), Problem> {
        let key = complete.key();
        let entry = set.entry(key)?;
        let memory = self.reserve_prepared(set.engine.prepared_bytes(key))?;
        let disk = self.reserve_disk(entry.bytes).await?;
        let (bytes, owner) = (complete.bytes(), Arc::clone(set));
        let prepared = rt::task::spawn_blocking(move || owner.prepare(&complete, memory)).await;
        prepared.map_err(|error| Problem::new(ProblemKind::Internal, error))??;
        let _writing = set.life.writing().await;
        if set.life.ended() {
            return Err(unknown());
        }
        self.storage
            .put_key(set.life.name, &entry.name, bytes)
            .await?;
        set.stored(key, disk);
        Ok(())
    }

    /// Removes sets that were not used for long, and notes how long ago the others were used.
    pub async fn sweep(&self) {
        let all: Vec<_> = self.lock().values().cloned().collect();
        for entry in &all {
            if entry.life().idle() >= self.limits.expiry {
                self.end_unless_busy(entry);
            }
            let kept = if entry.life().ended() {
                self.discard(entry).await
            } else if entry.life().unnoted() >= self.limits.expiry / 16 {
                self.note(entry.life()).await
            } else {
                Ok(())
            };
            // The problem is in the log already, and the next sweep tries again.
            drop(kept);
        }
    }

    /// Notes of every set when it was used, for the next start.
    pub async fn note_all(&self) {
        let all: Vec<_> = self.lock().values().cloned().collect();
        for entry in all.iter().filter(|entry| !entry.life().unnoted().is_zero()) {
            drop(self.note(entry.life()).await);
        }
    }

    /// What the store holds.
    pub fn usage(&self) -> KeyUse {
        KeyUse {
            sets: self.lock().len(),
            memory: self.memory.used(),
            disk: self.disk.used(),
        }
    }

    async fn note(&self, life: &Life) -> Result<(), Problem> {
        let _writing = life.writing().await;
        if !life.ended() {
            let record = life.record();
            self.storage.put_record(life.name, &record).await?;
            life.note(&record);
        }
        Ok(())
    }

    async fn discard(&self, entry: &Entry) -> Result<(), Problem> {
        let life = entry.life();
        life.end();
        let _writing = life.writing().await;
        self.storage.remove_set(life.name).await?;
        self.lock().remove(&life.name);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SetName, Entry>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn life(&self) -> &Life {
        match self {
            Self::Live(set) => &set.life,
            Self::Retired(set) => &set.life,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Live(set) if set.is_empty())
    }
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownKeySet, "no key set has this id")
}

/// A fresh identifier that cannot be guessed.
///
/// # Errors
/// [`ProblemKind::Internal`] when the system has no randomness.
pub fn new_capability() -> Result<Capability, Problem> {
    let seed = Seed::random().map_err(|error| Problem::new(ProblemKind::Internal, error))?;
    let (id, _) = seed.expose().split_at(16);
    id.try_into()
        .map(Hex)
        .map_err(|_| Problem::new(ProblemKind::Internal, "seed length"))
}
