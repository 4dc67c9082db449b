//! Where whole circuits run.

/// Runs `work` on a thread of the pool that shares limbs, where the feature `parallel` makes one.
///
/// A circuit has tens of thousands of parallel loops. From a thread of the pool, a loop begins at once; from any other, each is handed
/// over and waited for, two changes of threads a loop.
pub fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    #[cfg(feature = "parallel")]
    return rayon::scope(|_| work());
    #[cfg(not(feature = "parallel"))]
    work()
}
