//! Buffers that polynomials leave behind, for those that follow.
//!
//! A polynomial takes megabytes for milliseconds. From the allocator, that memory comes back from the operating system every time, page
//! by page and zeroed, and two threads that ask for pages wait for each other. A buffer from here holds what its last user left.

use std::sync::{Mutex, PoisonError};

static FREE: Mutex<Vec<Vec<u32>>> = Mutex::new(Vec::new());

/// Residues kept at most: 128 MiB. Browsers have less to spare and compute on few polynomials.
const KEPT: usize = if cfg!(target_family = "wasm") {
    0
} else {
    32 << 20
};

/// Shorter buffers are the allocator's business.
const SHORTEST: usize = 1 << 15;

/// A buffer of `length` residues or more with unspecified content. It keeps the length it was made with: a buffer that
/// shrank would be zeroed again wherever it grows.
pub(crate) fn take(length: usize) -> Vec<u32> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    // Not one that is much too large: it would be held for as long as the polynomial lives.
    let fits = |buffer: &Vec<u32>| (length..=length + length / 2).contains(&buffer.len());
    let found = free.iter().rposition(fits).map(|i| free.remove(i));
    drop(free);
    found.unwrap_or_else(|| vec![0; length])
}

/// Keeps a buffer for [`take`], and lets those go that have waited longest: work that has moved on to other sizes never asks for them.
pub(crate) fn give(buffer: Vec<u32>) {
    if buffer.len() < SHORTEST {
        return;
    }
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    free.push(buffer);
    let mut gone = Vec::new();
    while free.iter().map(Vec::len).sum::<usize>() > KEPT {
        gone.push(free.remove(0));
    }
    // The allocator has its own locks.
    drop(free);
    drop(gone);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held by each test: full, the pool would let go of the other's buffers.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn buffers_come_back_with_at_least_the_length_that_is_asked_for() {
        let _alone = ALONE.lock();
        // Sizes that no other test of this process uses.
        let length = SHORTEST + 12_345;
        let mut buffer = take(length);
        buffer.fill(7);
        let address = buffer.as_ptr();
        give(buffer);
        let again = take(length - 100);
        assert_eq!((again.as_ptr(), again.len()), (address, length));
        let other = take(length);
        assert_ne!(other.as_ptr(), address);
        give(again);
        let largest = take(4 * length);
        assert_eq!(largest.len(), 4 * length);
    }

    #[test]
    fn the_oldest_buffers_make_room() {
        let _alone = ALONE.lock();
        let length = KEPT / 4 + 12_345;
        let buffers: Vec<_> = (0..4).map(|_| take(length)).collect();
        let addresses: Vec<_> = buffers.iter().map(|buffer| buffer.as_ptr()).collect();
        buffers.into_iter().for_each(give);
        let again: Vec<_> = (0..3).map(|_| take(length)).collect();
        let again: Vec<_> = again.iter().map(|buffer| buffer.as_ptr()).collect();
        assert_eq!(again, [addresses[3], addresses[2], addresses[1]]);
        let free = FREE.lock().unwrap();
        assert!(free.iter().map(Vec::len).sum::<usize>() <= KEPT);
    }
}
