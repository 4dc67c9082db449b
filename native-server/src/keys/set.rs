//! The keys of one client: parts that arrived, keys that are stored, keys that are ready in memory.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use actix_web::web::Bytes;
use protocol::{
    container::{self, ContainerError, ObjectType},
    limits,
    manifest::{KeyEntry, Manifest},
    problem::{Problem, ProblemKind},
};

use super::{life::Life, quota::Charge};
use crate::engine::{Engine, KeyRing};

/// The keys of one client for one model.
pub struct KeySet {
    /// Name, age and use.
    pub life: Life,
    /// The model that the keys are for.
    pub engine: Arc<dyn Engine>,
    keys: Mutex<Vec<KeyState>>,
    // Held for the whole of an evaluation, so whoever wants the memory back tries and goes on.
    ring: Mutex<Ring>,
}

enum KeyState {
    Missing,
    // Room for the whole key is taken with its first part, so that whoever may begin can finish.
    Arriving {
        parts: Vec<Option<Bytes>>,
        room: Charge,
    },
    // Whoever completes the parts checks and stores the key; others find this and leave it alone.
    Completing,
    Stored {
        _disk: Charge,
    },
}

/// The prepared keys, as far as they are in memory.
#[derive(Default)]
pub struct Ring {
    ring: Option<Box<dyn KeyRing>>,
    memory: Vec<Option<Charge>>,
}

/// All parts of a key, to be checked, prepared and stored.
pub struct Complete {
    key: usize,
    parts: Vec<Bytes>,
    _room: Charge,
}

impl KeySet {
    /// A set without keys.
    pub fn new(life: Life, engine: Arc<dyn Engine>) -> Self {
        let keys = engine
            .manifest()
            .keys
            .iter()
            .map(|_| KeyState::Missing)
            .collect();
        Self {
            life,
            engine,
            keys: Mutex::new(keys),
            ring: Mutex::default(),
        }
    }

    /// The manifest of the set's model.
    pub fn manifest(&self) -> &Manifest {
        self.engine.manifest()
    }

    /// Index and size of the key called `name`.
    pub fn key(&self, name: &str) -> Option<(usize, usize)> {
        let keys = &self.manifest().keys;
        let key = keys.iter().position(|key| key.name == name)?;
        Some((key, usize::try_from(keys.get(key)?.bytes).ok()?))
    }

    /// The manifest's entry of a key.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownKey`].
    pub fn entry(&self, key: usize) -> Result<&KeyEntry, Problem> {
        let entry = self.manifest().keys.get(key);
        entry.ok_or_else(|| Problem::new(ProblemKind::UnknownKey, key))
    }

    /// Names of the keys that are not stored.
    pub fn missing(&self) -> Vec<String> {
        let states = self.states();
        let keys = self.manifest().keys.iter();
        keys.zip(states.iter())
            .filter(|(_, state)| !matches!(state, KeyState::Stored { .. }))
            .map(|(key, _)| key.name.clone())
            .collect()
    }

    /// The problem of a set that lacks keys, if it does.
    pub fn incomplete(&self) -> Option<Problem> {
        let missing = self.missing().into_boxed_slice();
        if missing.is_empty() {
            return None;
        }
        let all = self.manifest().keys.len();
        let problem = Problem::new(
            ProblemKind::MissingKeys,
            format_args!("{} of {all} keys are missing", missing.len()),
        );
        Some(Problem { missing, ..problem })
    }

    /// Whether nothing was uploaded.
    pub fn is_empty(&self) -> bool {
        self.states()
            .iter()
            .all(|state| matches!(state, KeyState::Missing))
    }

    /// Whether nothing of this key was uploaded.
    pub fn is_missing(&self, key: usize) -> bool {
        matches!(self.states().get(key), Some(KeyState::Missing))
    }

    /// Makes a place for the parts of a key, unless there is one or none is needed.
    pub fn begin(&self, key: usize, size: usize, room: Charge) {
        if let Some(state @ KeyState::Missing) = self.states().get_mut(key) {
            let parts = vec![None; limits::part_count(size)];
            *state = KeyState::Arriving { parts, room };
        }
    }

    /// Keeps a part of the right length, if its key has a place; returns the key once it is complete.
    pub fn put(&self, key: usize, part: usize, bytes: Bytes) -> Option<Complete> {
        let mut states = self.states();
        let state = states.get_mut(key)?;
        let KeyState::Arriving { parts, .. } = state else {
            return None;
        };
        *parts.get_mut(part)? = Some(bytes);
        if parts.iter().any(Option::is_none) {
            return None;
        }
        match std::mem::replace(state, KeyState::Completing) {
            KeyState::Arriving { parts, room } => Some(Complete {
                key,
                parts: parts.into_iter().flatten().collect(),
                _room: room,
            }),
            _ => None,
        }
    }

    /// Whether parts of keys are there that are not complete.
    pub fn is_arriving(&self) -> bool {
        self.states()
            .iter()
            .any(|state| matches!(state, KeyState::Arriving { .. }))
    }

    /// Drops the parts of keys that are not complete; false when there are none.
    pub fn forget_parts(&self) -> bool {
        let mut dropped = false;
        for state in self.states().iter_mut() {
            if matches!(state, KeyState::Arriving { .. }) {
                *state = KeyState::Missing;
                dropped = true;
            }
        }
        dropped
    }

    /// The key lies in the store and takes room there.
    pub fn stored(&self, key: usize, disk: Charge) {
        self.set_state(key, KeyState::Stored { _disk: disk });
    }

    /// The key is not in the store.
    pub fn lost(&self, key: usize) {
        self.set_state(key, KeyState::Missing);
    }

    /// Checks a complete key and prepares it in memory. Takes milliseconds to seconds: not for async workers.
    ///
    /// # Errors
    /// The problem to answer with.
    pub fn prepare(&self, complete: &Complete, memory: Charge) -> Result<(), Problem> {
        let bytes = complete.parts.concat();
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        self.insert(&mut ring, complete.key, &bytes, memory)
    }

    /// Checks the container of a key and prepares it in memory.
    ///
    /// # Errors
    /// The problem to answer with; a key that was in memory before stays.
    pub fn insert(
        &self,
        place: &mut Ring,
        key: usize,
        bytes: &[u8],
        memory: Charge,
    ) -> Result<(), Problem> {
        let digest = self.engine.parameter_digest();
        let payload = container::read(bytes, bytes.len(), ObjectType::EvaluationKey, &digest)
            .map_err(container_problem)?;
        let ring = place
            .ring
            .get_or_insert_with(|| Arc::clone(&self.engine).open());
        let inserted = catch_unwind(AssertUnwindSafe(|| ring.insert(key, payload)));
        inserted
            .unwrap_or_else(|_| Err(Problem::new(ProblemKind::Internal, "preparing the key")))?;
        place
            .memory
            .resize_with(self.manifest().keys.len().max(key + 1), || None);
        if let Some(place) = place.memory.get_mut(key) {
            *place = Some(memory);
        }
        Ok(())
    }

    /// The prepared keys, for as long as the guard lives.
    pub fn ring(&self) -> MutexGuard<'_, Ring> {
        // A ring whose insertion panicked lacks that key and is complete otherwise.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether prepared keys are in memory and nothing computes with them.
    pub fn is_resting(&self) -> bool {
        self.resting_ring().is_some_and(|ring| ring.ring.is_some())
    }

    /// Takes the prepared keys out of memory unless something computes with them.
    pub fn unload(&self) -> Option<Ring> {
        self.resting_ring()
            .map(|mut ring| std::mem::take(&mut *ring))
    }

    fn resting_ring(&self) -> Option<MutexGuard<'_, Ring>> {
        match self.ring.try_lock() {
            Ok(ring) => Some(ring),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn set_state(&self, key: usize, state: KeyState) {
        if let Some(place) = self.states().get_mut(key) {
            *place = state;
        }
    }

    fn states(&self) -> MutexGuard<'_, Vec<KeyState>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// Keys of the manifest that are not in memory.
    pub fn absent(&self, keys: usize) -> impl Iterator<Item = usize> + use<> {
        let present: Vec<_> = self.memory.iter().map(Option::is_some).collect();
        (0..keys).filter(move |&key| !present.get(key).copied().unwrap_or(false))
    }

    /// The keys to evaluate with, if there are any.
    pub fn keys(&self) -> Option<&dyn KeyRing> {
        self.ring.as_deref()
    }
}

impl Complete {
    /// Index of the key in the manifest.
    pub fn key(&self) -> usize {
        self.key
    }

    /// The container in pieces.
    pub fn bytes(&self) -> Vec<Bytes> {
        self.parts.clone()
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
