//! Work on the limbs of a polynomial, by several threads where the feature `parallel` allows it.
//!
//! A limb is a task of its own: left to itself rayon hands two threads a quarter of a loop at a time, and the thread that ends first waits.

use std::{cell::Cell, ops::Range};

/// Calls `work(index, limb)` for every limb of `degree` residues.
pub fn for_each_limb(
    data: &mut [u32],
    degree: usize,
    work: impl Fn(usize, &mut [u32]) + Send + Sync,
) {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        data.par_chunks_exact_mut(degree)
            .enumerate()
            .with_max_len(1)
            .for_each(|(i, limb)| work(i, limb));
    }
    #[cfg(not(feature = "parallel"))]
    data.chunks_exact_mut(degree)
        .enumerate()
        .for_each(|(i, limb)| work(i, limb));
}

/// Calls `work(index, first, second)` for every pair of limbs of two polynomials.
pub fn for_each_pair(
    first: &mut [u32],
    second: &mut [u32],
    degree: usize,
    work: impl Fn(usize, &mut [u32], &mut [u32]) + Send + Sync,
) {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        first
            .par_chunks_exact_mut(degree)
            .zip(second.par_chunks_exact_mut(degree))
            .enumerate()
            .with_max_len(1)
            .for_each(|(i, (a, b))| work(i, a, b));
    }
    #[cfg(not(feature = "parallel"))]
    first
        .chunks_exact_mut(degree)
        .zip(second.chunks_exact_mut(degree))
        .enumerate()
        .for_each(|(i, (a, b))| work(i, a, b));
}

/// Calls `work(range, limbs)` for every `range` of `piece` coefficients, with that range of all limbs.
pub fn for_each_piece(
    data: &mut [u32],
    degree: usize,
    piece: usize,
    work: impl Fn(Range<usize>, &mut [&mut [u32]]) + Send + Sync,
) {
    let piece = piece.min(degree);
    let mut columns: Vec<Vec<&mut [u32]>> = (0..degree / piece).map(|_| Vec::new()).collect();
    for limb in data.chunks_exact_mut(degree) {
        for (column, part) in columns.iter_mut().zip(limb.chunks_exact_mut(piece)) {
            column.push(part);
        }
    }
    let run = |(i, column): (usize, &mut Vec<&mut [u32]>)| work(i * piece..(i + 1) * piece, column);
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        columns
            .par_iter_mut()
            .enumerate()
            .with_max_len(1)
            .for_each(run);
    }
    #[cfg(not(feature = "parallel"))]
    columns.iter_mut().enumerate().for_each(run);
}

/// `work` of every item, in their order, at the same time where threads are free.
pub fn map_each<I: Send, T: Send>(items: Vec<I>, work: impl Fn(I) -> T + Send + Sync) -> Vec<T> {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        items.into_par_iter().with_max_len(1).map(work).collect()
    }
    #[cfg(not(feature = "parallel"))]
    items.into_iter().map(work).collect()
}

/// Does both, at the same time where a thread is free.
pub fn both<T: Send>(
    first: impl FnOnce() -> T + Send,
    second: impl FnOnce() -> T + Send,
) -> (T, T) {
    #[cfg(feature = "parallel")]
    return rayon::join(first, second);
    #[cfg(not(feature = "parallel"))]
    (first(), second())
}

thread_local! {
    static SCRATCH: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with a buffer of this thread, of `length` residues with unspecified content. Not for secrets: it is never wiped.
pub fn with_scratch<T>(length: usize, work: impl FnOnce(&mut [u32]) -> T) -> T {
    // Taken out for the call: work that calls this again gets another one.
    let mut scratch = SCRATCH.take();
    if scratch.len() < length {
        scratch.resize(length, 0);
    }
    let result = work(&mut scratch[..length]);
    SCRATCH.set(scratch);
    result
}
