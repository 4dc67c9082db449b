//! Vector loops in plain Rust, written so that the compiler vectorises them for whatever target they are inlined into.

use crate::{Factor, Modulus};

/// Residues worked on at a time: the 64-bit sums of one block stay in registers or in the first-level cache. Every supported
/// degree is a multiple of it.
const BLOCK: usize = 32;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
pub(super) fn dot(modulus: Modulus, out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]]) {
    lazy_dot(out, lhs, rhs, |sum| modulus.reduce_wide(sum));
}

#[inline(always)]
pub(super) fn dot_factors(
    modulus: Modulus,
    [out0, out1]: [&mut [u32]; 2],
    lhs: &[&[u32]],
    [factors0, factors1]: [&[&[u32]]; 2],
) {
    lazy_dot(out0, lhs, factors0, |sum| modulus.reduce_factors(sum));
    lazy_dot(out1, lhs, factors1, |sum| modulus.reduce_factors(sum));
}

#[inline(always)]
fn lazy_dot(out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]], reduce: impl Fn(u64) -> u32) {
    assert!(lhs.len() == rhs.len() && lhs.len() <= 16);
    let add = |sums: &mut [u64; BLOCK], block: usize| {
        for (a, b) in lhs.iter().zip(rhs) {
            let (a, b) = (
                &a.as_chunks::<BLOCK>().0[block],
                &b.as_chunks::<BLOCK>().0[block],
            );
            for j in 0..BLOCK {
                sums[j] = sums[j].wrapping_add(a[j] as u64 * b[j] as u64);
            }
        }
    };
    lazy_sum(out, add, reduce);
}

#[inline(always)]
pub(super) fn combine(modulus: Modulus, out: &mut [u32], terms: &[&[u32]], factors: &[Factor]) {
    assert!(terms.len() == factors.len() && terms.len() <= 16);
    let add = |sums: &mut [u64; BLOCK], block: usize| {
        for (a, factor) in terms.iter().zip(factors) {
            let a = &a.as_chunks::<BLOCK>().0[block];
            for j in 0..BLOCK {
                sums[j] = sums[j].wrapping_add(a[j] as u64 * factor.0 as u64);
            }
        }
    };
    lazy_sum(out, add, |sum| modulus.reduce_factors(sum));
}

/// Adds up blocks of 64-bit sums and reduces each sum once.
#[inline(always)]
fn lazy_sum(out: &mut [u32], add: impl Fn(&mut [u64; BLOCK], usize), reduce: impl Fn(u64) -> u32) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    assert!(rest.is_empty());
    for (index, block) in blocks.iter_mut().enumerate() {
        let mut sums = [0u64; BLOCK];
        add(&mut sums, index);
        for j in 0..BLOCK {
            block[j] = reduce(sums[j]);
        }
    }
}

#[inline(always)]
pub(super) fn add_assign(modulus: Modulus, out: &mut [u32], other: &[u32]) {
    for (a, &b) in out.iter_mut().zip(other) {
        *a = modulus.add(*a, b);
    }
}

#[inline(always)]
pub(super) fn sub_assign(modulus: Modulus, out: &mut [u32], other: &[u32]) {
    for (a, &b) in out.iter_mut().zip(other) {
        *a = modulus.sub(*a, b);
    }
}

#[inline(always)]
pub(super) fn neg_assign(modulus: Modulus, out: &mut [u32]) {
    for a in out.iter_mut() {
        *a = modulus.neg(*a);
    }
}

#[inline(always)]
pub(super) fn scale_assign(modulus: Modulus, out: &mut [u32], factor: Factor) {
    for a in out.iter_mut() {
        *a = modulus.scale(*a, factor);
    }
}

#[inline(always)]
pub(super) fn add_scaled_assign(modulus: Modulus, out: &mut [u32], other: &[u32], factor: Factor) {
    for (a, &b) in out.iter_mut().zip(other) {
        *a = modulus.add(*a, modulus.scale(b, factor));
    }
}

#[inline(always)]
pub(super) fn reduce_signed(modulus: Modulus, out: &mut [u32], values: &[i64]) {
    for (a, &x) in out.iter_mut().zip(values) {
        // Secret polynomials pass here: a mask instead of a branch on the sign.
        let magnitude = modulus.reduce_wide(x.unsigned_abs());
        let negative = (x >> 63) as u32;
        *a = (magnitude & !negative) | (modulus.neg(magnitude) & negative);
    }
}

#[inline(always)]
pub(super) fn reduce_small(modulus: Modulus, out: &mut [u32], values: &[i32]) {
    for (a, &x) in out.iter_mut().zip(values) {
        *a = (x as u32).wrapping_add(modulus.value() & (x >> 31) as u32);
    }
}

/// `out[j] = values[sources[j]]`, where the sources of an aligned block of sixteen lie in one such block, as those of an automorphism do.
#[inline(always)]
pub(crate) fn permute(out: &mut [u32], values: &[u32], sources: &[u32]) {
    const LANES: usize = 16;
    let values = values.as_chunks::<LANES>().0;
    let blocks = out.as_chunks_mut::<LANES>().0.iter_mut();
    for (block, sources) in blocks.zip(sources.as_chunks::<LANES>().0) {
        let from = &values[sources[0] as usize / LANES];
        for (slot, &source) in block.iter_mut().zip(sources) {
            *slot = from[source as usize % LANES];
        }
    }
}

/// `out = round(sum_i values_i * factors_i)` for a non-negative sum far below 2^24.
#[inline(always)]
pub(crate) fn rounded_sum(out: &mut [u32], terms: &[(&[u32], f32)]) {
    const CHUNK: usize = 512;
    let mut sums = [0f32; CHUNK];
    for (index, out) in out.chunks_mut(CHUNK).enumerate() {
        let sums = &mut sums[..out.len()];
        sums.fill(0.5);
        for (values, factor) in terms {
            // Residues are below 2^30: signed conversion is exact enough and one instruction.
            let values = &values[index * CHUNK..index * CHUNK + sums.len()];
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += value as i32 as f32 * factor;
            }
        }
        for (slot, &sum) in out.iter_mut().zip(sums.iter()) {
            *slot = sum as i32 as u32;
        }
    }
}
