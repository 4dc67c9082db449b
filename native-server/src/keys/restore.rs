//! What an earlier run of the server stored.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Entry, KeyLimits, KeyPlace, KeyStore, PlaceError, Retired,
    life::{Life, RECORD, Record},
    name::SetName,
    quota::Quota,
    room::Memory,
    set::KeySet,
    storage::{Found, Storage, StorageError},
};
use crate::engine::Engine;

impl KeyStore {
    /// Opens a store with the sets that lie in it; blocks.
    ///
    /// # Errors
    /// When the place cannot be used.
    pub fn open(
        limits: KeyLimits,
        place: &KeyPlace,
        models: &BTreeMap<String, Arc<dyn Engine>>,
    ) -> Result<Self, PlaceError> {
        let storage = Storage::open(place)?;
        let disk = Quota::new(limits.disk);
        let found = storage.scan()?;
        let mut sets = HashMap::new();
        for (name, found) in found {
            let Some(record) = found
                .record
                .clone()
                .filter(|record| record.version == RECORD)
            else {
                // A crash came between the record and the keys of a set that was being removed, or damaged the record.
                storage.remove_set_now(name)?;
                continue;
            };
            let engine = models.get(&record.model);
            let current =
                engine.filter(|engine| engine.manifest().configuration == record.configuration);
            let entry = match current {
                Some(engine) => live(&storage, &disk, Arc::clone(engine), name, record, &found)?,
                None => Entry::Retired(Arc::new(Retired {
                    life: Life::resume(name, record),
                    _disk: found
                        .keys
                        .iter()
                        .map(|(_, bytes)| disk.force(*bytes))
                        .collect(),
                })),
            };
            sets.insert(name, entry);
        }
        let retired = sets
            .values()
            .filter(|entry| matches!(entry, Entry::Retired(_)))
            .count();
        tracing::info!(%place, sets = sets.len(), retired, bytes = disk.used(), "key store opened");
        Ok(Self {
            limits,
            memory: Memory::new(&limits),
            disk,
            storage,
            sets: sets.into(),
        })
    }
}

fn live(
    storage: &Storage,
    disk: &Quota,
    engine: Arc<dyn Engine>,
    name: SetName,
    record: Record,
    found: &Found,
) -> Result<Entry, StorageError> {
    let set = KeySet::new(Life::resume(name, record), engine);
    for (key, bytes) in &found.keys {
        match set.key(key) {
            Some((index, size)) if size as u64 == *bytes => set.stored(index, disk.force(*bytes)),
            _ => storage.remove_key(name, key)?,
        }
    }
    Ok(Entry::Live(Arc::new(set)))
}
