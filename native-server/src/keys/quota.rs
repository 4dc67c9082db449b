//! Accounting of the memory and the disk that clients' keys take.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A number of bytes that may be held in all.
#[derive(Clone, Debug)]
pub struct Quota {
    used: Arc<AtomicU64>,
    limit: u64,
}

/// Bytes taken from a [`Quota`], given back on drop.
#[derive(Debug)]
pub struct Charge {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Quota {
    /// Room for `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            used: Arc::default(),
            limit,
        }
    }

    /// Takes `bytes` if there is room.
    pub fn take(&self, bytes: u64) -> Option<Charge> {
        self.used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
                used.checked_add(bytes).filter(|&sum| sum <= self.limit)
            })
            .ok()?;
        Some(Charge {
            used: Arc::clone(&self.used),
            bytes,
        })
    }

    /// Takes `bytes` that are held already, whatever the limit.
    pub fn force(&self, bytes: u64) -> Charge {
        self.used.fetch_add(bytes, Ordering::SeqCst);
        Charge {
            used: Arc::clone(&self.used),
            bytes,
        }
    }

    /// Bytes that may be held.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes held now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let quota = Quota::new(10);
        let six = quota.take(6).unwrap();
        assert!(quota.take(5).is_none());
        assert!(quota.take(u64::MAX).is_none());
        let four = quota.take(4).unwrap();
        drop(six);
        assert_eq!(quota.used(), 4);
        let found = quota.force(100);
        assert!(quota.take(1).is_none());
        drop((four, found));
        assert_eq!(quota.used(), 0);
    }
}
