//! Work on the limbs of a polynomial, by several threads where the feature `parallel` allows it.

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
            .for_each(|(i, (a, b))| work(i, a, b));
    }
    #[cfg(not(feature = "parallel"))]
    first
        .chunks_exact_mut(degree)
        .zip(second.chunks_exact_mut(degree))
        .enumerate()
        .for_each(|(i, (a, b))| work(i, a, b));
}
