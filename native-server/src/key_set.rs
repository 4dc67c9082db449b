//! The keys of one client: parts that arrived, keys that are ready.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use protocol::{
    container::{self, ContainerError, ObjectType},
    hex::Capability,
    limits,
    manifest::Manifest,
    problem::{Problem, ProblemKind},
};

use crate::{
    engine::{Engine, KeyRing},
    quota::Charge,
};

/// The keys of one client for one model.
pub struct KeySet {
    /// Its capability.
    pub id: Capability,
    /// The model that the keys are for.
    pub engine: Arc<dyn Engine>,
    keys: Mutex<Vec<KeyState>>,
    ring: RwLock<Box<dyn KeyRing>>,
    used: Mutex<Instant>,
}

enum KeyState {
    Missing,
    Arriving(Vec<Option<(Bytes, Charge)>>),
    // Whoever completes the parts prepares the key; others find this and leave it alone.
    Preparing,
    Ready { _memory: Charge },
}

/// All parts of a key, to be checked and prepared off the async workers.
pub struct Complete {
    key: usize,
    parts: Vec<(Bytes, Charge)>,
}

impl KeySet {
    /// A set without keys.
    pub fn new(id: Capability, engine: Arc<dyn Engine>) -> Self {
        let keys = engine
            .manifest()
            .keys
            .iter()
            .map(|_| KeyState::Missing)
            .collect();
        let ring = RwLock::new(Arc::clone(&engine).open());
        Self {
            id,
            engine,
            keys: Mutex::new(keys),
            ring,
            used: Mutex::new(Instant::now()),
        }
    }

    /// The manifest of the set's model.
    pub fn manifest(&self) -> &Manifest {
        self.engine.manifest()
    }

    /// Notes that the set is in use.
    pub fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Time since the set was used.
    pub fn idle(&self) -> Duration {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }

    /// Index and size of the key called `name`.
    pub fn key(&self, name: &str) -> Option<(usize, usize)> {
        let keys = &self.manifest().keys;
        let key = keys.iter().position(|key| key.name == name)?;
        Some((key, usize::try_from(keys.get(key)?.bytes).ok()?))
    }

    /// Names of the keys that are not ready.
    pub fn missing(&self) -> Vec<String> {
        let states = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = self.manifest().keys.iter();
        keys.zip(states.iter())
            .filter(|(_, state)| !matches!(state, KeyState::Ready { .. }))
            .map(|(key, _)| key.name.clone())
            .collect()
    }

    /// Whether nothing was uploaded.
    pub fn is_empty(&self) -> bool {
        let states = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        states
            .iter()
            .all(|state| matches!(state, KeyState::Missing))
    }

    /// Keeps a part of the right length; returns the key once it is complete.
    pub fn put(&self, key: usize, part: usize, bytes: Bytes, charge: Charge) -> Option<Complete> {
        let size = usize::try_from(self.manifest().keys.get(key)?.bytes).ok()?;
        let mut states = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.get_mut(key)?;
        if matches!(state, KeyState::Missing) {
            let parts = (0..limits::part_count(size)).map(|_| None).collect();
            *state = KeyState::Arriving(parts);
        }
        let KeyState::Arriving(parts) = state else {
            return None;
        };
        *parts.get_mut(part)? = Some((bytes, charge));
        if parts.iter().any(Option::is_none) {
            return None;
        }
        let parts = std::mem::take(parts).into_iter().flatten().collect();
        *state = KeyState::Preparing;
        Some(Complete { key, parts })
    }

    /// Checks and prepares a complete key. Takes milliseconds to seconds: not for async workers.
    ///
    /// # Errors
    /// The problem to answer with; the key is missing again then.
    pub fn prepare(&self, complete: Complete, memory: Charge) -> Result<(), Problem> {
        let key = complete.key;
        let outcome = catch_unwind(AssertUnwindSafe(|| self.insert(&complete)))
            .unwrap_or_else(|_| Err(Problem::new(ProblemKind::Internal, "preparing the key")));
        let state = match outcome {
            Ok(()) => KeyState::Ready { _memory: memory },
            Err(_) => KeyState::Missing,
        };
        self.set_state(key, state);
        outcome
    }

    /// Drops a complete key for which there is no room.
    pub fn give_up(&self, complete: &Complete) {
        self.set_state(complete.key, KeyState::Missing);
    }

    /// The prepared keys.
    pub fn ring(&self) -> RwLockReadGuard<'_, Box<dyn KeyRing>> {
        // A ring whose insertion panicked lacks that key and is complete otherwise.
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, key: usize, state: KeyState) {
        let mut states = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = states.get_mut(key) {
            *place = state;
        }
    }

    fn insert(&self, complete: &Complete) -> Result<(), Problem> {
        let parts: Vec<&[u8]> = complete.parts.iter().map(|(bytes, _)| &bytes[..]).collect();
        let bytes = parts.concat();
        let digest = self.engine.parameter_digest();
        let payload = container::read(&bytes, bytes.len(), ObjectType::EvaluationKey, &digest)
            .map_err(container_problem)?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.insert(complete.key, payload)
    }
}

impl Complete {
    /// Index of the key in the manifest.
    pub fn key(&self) -> usize {
        self.key
    }
}

/// The problem that a bad container is.
pub fn container_problem(error: ContainerError) -> Problem {
    let kind = match error {
        ContainerError::Parameters => ProblemKind::WrongParameters,
        ContainerError::TooLarge { .. } => ProblemKind::PayloadTooLarge,
        ContainerError::Truncated { .. }
        | ContainerError::TrailingBytes(_)
        | ContainerError::Magic
        | ContainerError::Version(_)
        | ContainerError::Type { .. }
        | ContainerError::Checksum => ProblemKind::BadContainer,
    };
    Problem::new(kind, error)
}
