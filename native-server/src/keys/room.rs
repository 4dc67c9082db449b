//! Who leaves memory or disk when there is no room.

use std::{sync::Arc, time::Duration};

use protocol::problem::{Problem, ProblemKind};

use super::{
    Entry, KeyLimits, KeyStore,
    quota::{Charge, Quota},
    set::KeySet,
};

/// The memory for keys, shared out so that neither bodies nor unfinished uploads can keep evaluations from their keys.
pub(super) struct Memory {
    pub(super) bodies: Quota,
    pub(super) arriving: Quota,
    pub(super) prepared: Quota,
}

impl KeyLimits {
    /// Memory for bodies under way.
    pub fn bodies(&self) -> u64 {
        self.memory / 8
    }

    /// Memory for the parts of unfinished keys.
    pub fn arriving(&self) -> u64 {
        self.memory / 4
    }

    /// Memory for prepared keys.
    pub fn prepared(&self) -> u64 {
        self.memory - self.bodies() - self.arriving()
    }
}

impl Memory {
    pub(super) fn new(limits: &KeyLimits) -> Self {
        Self {
            bodies: Quota::new(limits.bodies()),
            arriving: Quota::new(limits.arriving()),
            prepared: Quota::new(limits.prepared()),
        }
    }

    pub(super) fn used(&self) -> u64 {
        self.bodies.used() + self.arriving.used() + self.prepared.used()
    }
}

impl KeyStore {
    /// Takes memory for the body of a request.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] while too many others are under way.
    pub fn reserve_body(&self, bytes: u64) -> Result<Charge, Problem> {
        let quota = &self.memory.bodies;
        quota
            .take(bytes)
            .ok_or_else(|| full("memory for uploads", quota, bytes))
    }

    /// Takes memory for the parts of a key, at the cost of uploads that rest.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] when those at work leave no room.
    pub fn reserve_arriving(&self, bytes: u64) -> Result<Charge, Problem> {
        let quota = &self.memory.arriving;
        loop {
            if let Some(charge) = quota.take(bytes) {
                return Ok(charge);
            }
            if !self.forget_oldest_parts() {
                return Err(full("memory for unfinished keys", quota, bytes));
            }
        }
    }

    /// Takes memory for a prepared key, at the cost of those that rest.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] when those at work leave no room.
    pub fn reserve_prepared(&self, bytes: u64) -> Result<Charge, Problem> {
        let quota = &self.memory.prepared;
        loop {
            if let Some(charge) = quota.take(bytes) {
                return Ok(charge);
            }
            if !self.unload_oldest() {
                return Err(full("memory for prepared keys", quota, bytes));
            }
        }
    }

    /// Takes room for `bytes` in the store, at the cost of sets that are of no use, then of those not used for longest.
    ///
    /// # Errors
    /// [`ProblemKind::KeyStoreFull`] when the sets in use leave no room.
    pub async fn reserve_disk(&self, bytes: u64) -> Result<Charge, Problem> {
        loop {
            if let Some(charge) = self.disk.take(bytes) {
                return Ok(charge);
            }
            let retired = |entry: &Entry| matches!(entry, Entry::Retired(_));
            if !self.discard_oldest(retired).await
                && !self.discard_oldest(|entry| !entry.is_empty()).await
            {
                return Err(full("disk", &self.disk, bytes));
            }
        }
    }

    /// Removes the longest unused set among the candidates that nobody uses; false when there is none.
    pub(super) async fn discard_oldest(&self, candidate: impl Fn(&Entry) -> bool) -> bool {
        let oldest = {
            let sets = self.lock();
            let entries = sets
                .values()
                .filter(|entry| candidate(entry) && self.may_leave(entry));
            let oldest = entries.max_by_key(|entry| entry.life().idle()).cloned();
            // Ended while the index is locked, so that nobody takes it into use in between.
            if let Some(entry) = &oldest {
                entry.life().end();
            }
            oldest
        };
        match oldest {
            Some(entry) => self.discard(&entry).await.is_ok(),
            None => false,
        }
    }

    /// Ends a set that nobody uses; the caller's own reference is the second one.
    pub(super) fn end_unless_busy(&self, entry: &Entry) {
        let _sets = self.lock();
        if entry.users() <= 1 {
            entry.life().end();
        }
    }

    fn may_leave(&self, entry: &Entry) -> bool {
        let grace = match entry {
            Entry::Live(_) => self.limits.grace,
            Entry::Retired(_) => Duration::ZERO,
        };
        entry.users() == 0 && !entry.life().ended() && entry.life().idle() >= grace
    }

    fn unload_oldest(&self) -> bool {
        let resting = self.oldest(KeySet::is_resting);
        // Freeing the keys of a set takes a while; the index is not locked by now.
        resting.and_then(|set| set.unload()).is_some()
    }

    fn forget_oldest_parts(&self) -> bool {
        let waiting = self.oldest(|set| set.life.idle() >= self.limits.grace && set.is_arriving());
        waiting.is_some_and(|set| set.forget_parts())
    }

    fn oldest(&self, candidate: impl Fn(&KeySet) -> bool) -> Option<Arc<KeySet>> {
        let sets = self.lock();
        let live = sets.values().filter_map(|entry| match entry {
            Entry::Live(set) if candidate(set) => Some(set),
            _ => None,
        });
        live.max_by_key(|set| set.life.idle()).cloned()
    }
}

impl Entry {
    // Requests and jobs at work on a set hold a reference beside the index's.
    fn users(&self) -> usize {
        let references = match self {
            Self::Live(set) => Arc::strong_count(set),
            Self::Retired(set) => Arc::strong_count(set),
        };
        references.saturating_sub(1)
    }
}

fn full(what: &str, quota: &Quota, bytes: u64) -> Problem {
    let (used, limit) = (quota.used(), quota.limit());
    let detail =
        format_args!("{used} of {limit} bytes of {what} are in use, {bytes} more were needed");
    Problem::new(ProblemKind::KeyStoreFull, detail)
}
