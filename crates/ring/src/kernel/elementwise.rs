//! Vector loops in plain Rust, written so that the compiler vectorises them for whatever target they are inlined into.

use crate::Modulus;

/// Residues worked on at a time: the 64-bit sums of one block stay in registers or in the first-level cache.
const BLOCK: usize = 64;

#[inline(always)]
pub(super) fn dot(modulus: Modulus, out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]]) {
    assert!(lhs.len() == rhs.len() && lhs.len() <= 16);
    lazy_sum(modulus, out, lhs.len(), |sum, term, at| {
        let (a, b) = (
            &lhs[term][at..at + sum.len()],
            &rhs[term][at..at + sum.len()],
        );
        for ((s, &x), &y) in sum.iter_mut().zip(a).zip(b) {
            *s = s.wrapping_add(x as u64 * y as u64);
        }
    });
}

#[inline(always)]
pub(super) fn combine(modulus: Modulus, out: &mut [u32], terms: &[&[u32]], scalars: &[u32]) {
    assert!(terms.len() == scalars.len() && terms.len() <= 16);
    lazy_sum(modulus, out, terms.len(), |sum, term, at| {
        let scalar = scalars[term] as u64;
        let values = &terms[term][at..at + sum.len()];
        for (s, &x) in sum.iter_mut().zip(values) {
            *s = s.wrapping_add(x as u64 * scalar);
        }
    });
}

/// Adds `terms` contributions to blocks of 64-bit sums and reduces each sum once.
#[inline(always)]
fn lazy_sum(
    modulus: Modulus,
    out: &mut [u32],
    terms: usize,
    add: impl Fn(&mut [u64], usize, usize),
) {
    let mut sums = [0u64; BLOCK];
    for (index, block) in out.chunks_mut(BLOCK).enumerate() {
        let sums = &mut sums[..block.len()];
        sums.fill(0);
        for term in 0..terms {
            add(sums, term, index * BLOCK);
        }
        for (value, &sum) in block.iter_mut().zip(sums.iter()) {
            *value = modulus.reduce_wide(sum);
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
pub(super) fn scale_assign(modulus: Modulus, out: &mut [u32], factor: u32) {
    let factor = modulus.prepare_factor(factor);
    for a in out.iter_mut() {
        *a = modulus.reduce_wide_scaled(*a as u64, factor);
    }
}

#[inline(always)]
pub(super) fn sub_scale_assign(modulus: Modulus, out: &mut [u32], other: &[u32], factor: u32) {
    let factor = modulus.prepare_factor(factor);
    for (a, &b) in out.iter_mut().zip(other) {
        *a = modulus.reduce_wide_scaled(modulus.sub(*a, b) as u64, factor);
    }
}

#[inline(always)]
pub(super) fn reduce_signed(modulus: Modulus, out: &mut [u32], values: &[i64]) {
    for (a, &x) in out.iter_mut().zip(values) {
        let magnitude = modulus.reduce_wide(x.unsigned_abs());
        *a = if x < 0 {
            modulus.neg(magnitude)
        } else {
            magnitude
        };
    }
}
