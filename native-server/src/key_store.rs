//! All key sets, within a quota.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::{
    ckks::Seed,
    hex::{Capability, Hex},
    problem::{Problem, ProblemKind},
};

use crate::{
    engine::Engine,
    key_set::KeySet,
    quota::{Charge, Quota},
};

/// Bounds of the key store.
#[derive(Clone, Copy, Debug)]
pub struct KeyLimits {
    /// Memory for uploaded and prepared keys, in bytes.
    pub memory: u64,
    /// Sets held at a time.
    pub sets: usize,
    /// Time without use after which a set is dropped.
    pub expiry: Duration,
    /// Time without use after which a set may be dropped to make room for another.
    pub grace: Duration,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            sets: 4096,
            expiry: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(60),
        }
    }
}

/// All key sets.
pub struct KeyStore {
    limits: KeyLimits,
    quota: Quota,
    sets: Mutex<HashMap<Capability, Arc<KeySet>>>,
}

impl KeyStore {
    /// An empty store.
    pub fn new(limits: KeyLimits) -> Self {
        let quota = Quota::new(limits.memory);
        Self {
            limits,
            quota,
            sets: Mutex::default(),
        }
    }

    /// Makes an empty set for a model.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] when too many sets are in use.
    pub fn create(&self, engine: Arc<dyn Engine>) -> Result<Arc<KeySet>, Problem> {
        let set = Arc::new(KeySet::new(new_capability()?, engine));
        // Creating sets is free for the client, so it must not push out sets that hold keys.
        let full = || self.lock().len() >= self.limits.sets;
        if full() && !self.evict(|set| set.is_empty()) {
            let detail = format_args!("{} key sets are in use", self.limits.sets);
            return Err(Problem::new(ProblemKind::KeyStoreFull, detail));
        }
        self.lock().insert(set.id, Arc::clone(&set));
        Ok(set)
    }

    /// The set with this id, marked as used.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownKeySet`].
    pub fn get(&self, id: Capability) -> Result<Arc<KeySet>, Problem> {
        let set = self.lock().get(&id).cloned();
        let set = set.ok_or_else(|| unknown(id))?;
        set.touch();
        Ok(set)
    }

    /// Removes a set. Its memory is free once nothing computes with it.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownKeySet`].
    pub fn remove(&self, id: Capability) -> Result<(), Problem> {
        let set = self.lock().remove(&id);
        set.map(drop).ok_or_else(|| unknown(id))
    }

    /// Takes room for `bytes`, at the cost of sets that were not used for longest.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] when the sets in use leave no room.
    pub fn reserve(&self, bytes: u64) -> Result<Charge, Problem> {
        loop {
            if let Some(charge) = self.quota.take(bytes) {
                return Ok(charge);
            }
            if !self.evict(|set| !set.is_empty()) {
                let detail = format_args!(
                    "{} of {} bytes are taken by key sets in use, {bytes} more were needed",
                    self.quota.used(),
                    self.limits.memory
                );
                return Err(Problem::new(ProblemKind::KeyStoreFull, detail));
            }
        }
    }

    /// Drops sets that were not used for long.
    pub fn expire(&self) {
        let expired: Vec<_> = {
            let mut sets = self.lock();
            sets.extract_if(|_, set| !busy(set) && set.idle() >= self.limits.expiry)
                .collect()
        };
        // Freeing the keys of a set takes a while; the lock is released by now.
        drop(expired);
    }

    // Drops the longest unused set among the candidates that nobody uses; false when there is none.
    fn evict(&self, candidate: impl Fn(&KeySet) -> bool) -> bool {
        let evicted = {
            let mut sets = self.lock();
            let oldest = sets
                .values()
                .filter(|set| !busy(set) && set.idle() >= self.limits.grace && candidate(set))
                .max_by_key(|set| set.idle())
                .map(|set| set.id);
            oldest.and_then(|id| sets.remove(&id))
        };
        evicted.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Capability, Arc<KeySet>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Requests and jobs at work on a set hold a reference of their own.
fn busy(set: &Arc<KeySet>) -> bool {
    Arc::strong_count(set) > 1
}

fn unknown(id: Capability) -> Problem {
    Problem::new(ProblemKind::UnknownKeySet, id)
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
