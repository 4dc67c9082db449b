//! Keys come back from the store into memory.

use std::ops::ControlFlow;

use protocol::problem::{Problem, ProblemKind};

use super::{
    KeyStore,
    set::{KeySet, Ring},
    storage::StorageError,
};

impl KeyStore {
    /// Brings the keys that are not in memory there; blocks. `go_on` is asked before each.
    ///
    /// # Errors
    /// [`ProblemKind::MissingKeys`] when keys in the store turn out damaged (they are removed then), or the problem of the store.
    pub fn load(
        &self,
        set: &KeySet,
        ring: &mut Ring,
        mut go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Problem> {
        for key in ring.absent(set.manifest().keys.len()) {
            if go_on().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.load_key(set, ring, key)?;
        }
        set.incomplete().map_or(Ok(ControlFlow::Continue(())), Err)
    }

    fn load_key(&self, set: &KeySet, ring: &mut Ring, key: usize) -> Result<(), Problem> {
        let entry = set.entry(key)?;
        let memory = self.reserve_prepared(set.engine.prepared_bytes(key))?;
        let damage = match self
            .storage
            .read_key(set.life.name, &entry.name, entry.bytes)
        {
            Ok(bytes) => match set.insert(ring, key, &bytes, memory) {
                Err(problem) if problem.kind() != Some(ProblemKind::Internal) => problem.detail,
                outcome => return outcome,
            },
            Err(StorageError::Missing) => StorageError::Missing.to_string(),
            Err(error) => return Err(error.into()),
        };
        tracing::error!(
            key = entry.name,
            damage,
            "a stored key is damaged and dropped"
        );
        // First from the store: as long as the key counts as stored, nobody uploads it anew.
        self.storage.remove_key(set.life.name, &entry.name)?;
        set.lost(key);
        Ok(())
    }
}
