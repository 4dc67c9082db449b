//! Lazy sums of products with WebAssembly's 128-bit vectors: the compiler's own vectors for `u32 * u32 -> u64` widen both factors first.

use std::arch::wasm32::{
    i32x4_add, i32x4_mul, i32x4_shuffle, i32x4_sub, i64x2_add, u32x4_min, u32x4_splat,
    u64x2_extmul_high_u32x4, u64x2_extmul_low_u32x4, u64x2_splat, v128,
};

use crate::Modulus;

/// Residues worked on at a time, two vectors.
const BLOCK: usize = 8;

/// `sum_i lhs[i] * rhs[i]`.
pub(super) fn dot(modulus: Modulus, out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]]) {
    assert!(lhs.len() == rhs.len() && lhs.len() <= 16);
    let reduction = Reduction::new(modulus);
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    assert!(rest.is_empty());
    for (index, block) in blocks.iter_mut().enumerate() {
        let mut sums = [[u64x2_splat(0); 2]; 2];
        for (a, b) in lhs.iter().zip(rhs) {
            let a: [v128; 2] = bytemuck::cast(a.as_chunks::<BLOCK>().0[index]);
            let b: [v128; 2] = bytemuck::cast(b.as_chunks::<BLOCK>().0[index]);
            for (sum, (a, b)) in sums.iter_mut().zip(a.into_iter().zip(b)) {
                let [low, high] = products(a, b);
                *sum = [i64x2_add(sum[0], low), i64x2_add(sum[1], high)];
            }
        }
        *block = bytemuck::cast(sums.map(|sum| reduction.reduce_wide(sum)));
    }
}

/// The products of the first two lanes, and of the last two.
fn products(a: v128, b: v128) -> [v128; 2] {
    [u64x2_extmul_low_u32x4(a, b), u64x2_extmul_high_u32x4(a, b)]
}

/// The upper halves of four 64-bit numbers.
fn upper([low, high]: [v128; 2]) -> v128 {
    i32x4_shuffle::<1, 3, 5, 7>(low, high)
}

/// The smaller of `x` and `x - bound`: the one that did not wrap.
fn below(x: v128, bound: v128) -> v128 {
    u32x4_min(x, i32x4_sub(x, bound))
}

/// [`Modulus::reduce_wide`] on vectors.
struct Reduction {
    p: v128,
    p2: v128,
    p4: v128,
    inverse: v128,
    radix: v128,
}

impl Reduction {
    fn new(modulus: Modulus) -> Self {
        let p = modulus.value();
        Self {
            p: u32x4_splat(p),
            p2: u32x4_splat(p << 1),
            p4: u32x4_splat(p << 2),
            inverse: u32x4_splat(modulus.montgomery_inverse()),
            radix: u32x4_splat(modulus.radix_squared()),
        }
    }

    fn reduce_wide(&self, x: [v128; 2]) -> v128 {
        let high = below(below(upper(x), self.p4), self.p2);
        let value = below(below(self.corrected(high, x), self.p2), self.p);
        let x = products(value, self.radix);
        below(self.corrected(upper(x), x), self.p)
    }

    /// `high + p` less the high half of the multiple of `p` that agrees with `x` modulo `2^32`.
    fn corrected(&self, high: v128, [low, rest]: [v128; 2]) -> v128 {
        let quotient = i32x4_mul(i32x4_shuffle::<0, 2, 4, 6>(low, rest), self.inverse);
        i32x4_sub(i32x4_add(high, self.p), upper(products(quotient, self.p)))
    }
}
