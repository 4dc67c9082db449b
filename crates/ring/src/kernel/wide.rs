//! Lazy sums of products, reduction of signed numbers and permutations with AVX-512 and AVX2.
//!
//! The compiler's own vectors for `u32 * u32 -> u64` sums are no faster than scalar code, and a gather fetches one number at a time, so
//! these loops are written in intrinsics, through `pulp`'s safe wrappers.

use crate::Modulus;
use pulp::x86::{V3, V4};
use std::arch::x86_64::{__m256i, __m512i};

macro_rules! lazy_sums {
    ($name:ident, $simd:ty, $register:ty, $lanes:literal, $splat:expr, $mul:expr, $add64:expr, $add32:expr, $sub32:expr, $min:expr, $shift:expr, $blend:expr, $splat64:expr, $shuffle:expr, $order:expr) => {
        pub(super) mod $name {
            use super::*;

            const LANES: usize = $lanes;

            /// `sum_i lhs[i] * rhs[i]`.
            #[inline(always)]
            pub(in super::super) fn dot(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                lhs: &[&[u32]],
                rhs: &[&[u32]],
            ) {
                assert!(lhs.len() == rhs.len() && lhs.len() <= 16);
                for_each_block(
                    simd,
                    modulus,
                    out,
                    #[inline(always)]
                    |block| {
                        let (mut even, mut odd) = ($splat(simd, 0), $splat(simd, 0));
                        for (a, b) in lhs.iter().zip(rhs) {
                            let a: $register = pulp::cast!(a.as_chunks::<LANES>().0[block]);
                            let b: $register = pulp::cast!(b.as_chunks::<LANES>().0[block]);
                            even = $add64(simd, even, $mul(simd, a, b));
                            odd = $add64(simd, odd, $mul(simd, $shift(simd, a), $shift(simd, b)));
                        }
                        (even, odd)
                    },
                    #[inline(always)]
                    |block| block,
                );
            }

            /// `sum_i scalars[i] * terms[i]`.
            #[inline(always)]
            pub(in super::super) fn combine(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                terms: &[&[u32]],
                scalars: &[u32],
            ) {
                assert!(terms.len() == scalars.len() && terms.len() <= 16);
                for_each_block(
                    simd,
                    modulus,
                    out,
                    #[inline(always)]
                    |block| {
                        let (mut even, mut odd) = ($splat(simd, 0), $splat(simd, 0));
                        for (a, &scalar) in terms.iter().zip(scalars) {
                            let a: $register = pulp::cast!(a.as_chunks::<LANES>().0[block]);
                            let scalar = $splat(simd, scalar);
                            even = $add64(simd, even, $mul(simd, a, scalar));
                            odd = $add64(simd, odd, $mul(simd, $shift(simd, a), scalar));
                        }
                        (even, odd)
                    },
                    #[inline(always)]
                    |block| block,
                );
            }

            /// `values mod p`, for primes above 2^17: a multiple of `p` above the bound makes every value positive and leaves it below `2^35 p`.
            #[inline(always)]
            pub(in super::super) fn reduce_signed(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                values: &[i64],
            ) {
                assert!(out.len() == values.len() && modulus.value() > 1 << 17);
                let p = modulus.value() as u64;
                let bound = modulus.signed_bound() as u64;
                let positive = $splat64(simd, (bound / p + 1) * p);
                let order: $register = pulp::cast!($order);
                let halves = values.as_chunks::<{ LANES / 2 }>().0;
                for_each_block(
                    simd,
                    modulus,
                    out,
                    #[inline(always)]
                    |block| {
                        let first: $register = pulp::cast!(halves[2 * block]);
                        let second: $register = pulp::cast!(halves[2 * block + 1]);
                        (
                            $add64(simd, first, positive),
                            $add64(simd, second, positive),
                        )
                    },
                    // The halves come out as even and odd lanes.
                    #[inline(always)]
                    |block| $shuffle(simd, block, order),
                );
            }

            /// [`super::super::elementwise::permute`].
            #[inline(always)]
            pub(in super::super) fn permute(
                simd: $simd,
                out: &mut [u32],
                values: &[u32],
                sources: &[u32],
            ) {
                let (blocks, values) = (
                    out.as_chunks_mut::<LANES>().0,
                    values.as_chunks::<LANES>().0,
                );
                for (block, sources) in blocks.iter_mut().zip(sources.as_chunks::<LANES>().0) {
                    let from: $register = pulp::cast!(values[sources[0] as usize / LANES]);
                    // The shuffle looks at the lowest bits of a source alone.
                    *block = pulp::cast!($shuffle(simd, from, pulp::cast!(*sources)));
                }
            }

            /// `out *= factor`.
            #[inline(always)]
            pub(in super::super) fn scale(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                factor: u32,
            ) {
                scale_each(
                    simd,
                    modulus,
                    out,
                    factor,
                    #[inline(always)]
                    |_, x| x,
                );
            }

            /// `out = (out - other) * factor`.
            #[inline(always)]
            pub(in super::super) fn sub_scale(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                other: &[u32],
                factor: u32,
            ) {
                assert_eq!(out.len(), other.len());
                let (other, p) = (other.as_chunks::<LANES>().0, $splat(simd, modulus.value()));
                scale_each(
                    simd,
                    modulus,
                    out,
                    factor,
                    #[inline(always)]
                    |block, x| {
                        let difference = $sub32(simd, x, pulp::cast!(other[block]));
                        $min(simd, difference, $add32(simd, difference, p))
                    },
                );
            }

            /// One product with a factor in Montgomery form, so one reduction.
            #[inline(always)]
            fn scale_each(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                factor: u32,
                value: impl Fn(usize, $register) -> $register,
            ) {
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                assert!(rest.is_empty());
                let p = $splat(simd, modulus.value());
                let inverse = $splat(simd, modulus.montgomery_inverse());
                let factor = $splat(simd, modulus.montgomery_factor(factor));
                let correction = |x: $register| $mul(simd, $mul(simd, x, inverse), p);
                for (index, block) in blocks.iter_mut().enumerate() {
                    let x = value(index, pulp::cast!(*block));
                    let (even, odd) = ($mul(simd, x, factor), $mul(simd, $shift(simd, x), factor));
                    let high = $blend(simd, $shift(simd, even), odd);
                    let low = $blend(simd, $shift(simd, correction(even)), correction(odd));
                    let residue = $sub32(simd, $add32(simd, high, p), low);
                    *block = pulp::cast!($min(simd, residue, $sub32(simd, residue, p)));
                }
            }

            /// Reduces the sums of even and odd lanes: [`Modulus::reduce_wide`] on a vector.
            #[inline(always)]
            fn for_each_block(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                sums: impl Fn(usize) -> ($register, $register),
                finish: impl Fn($register) -> $register,
            ) {
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                assert!(rest.is_empty());
                let (p, p2, p4) = (modulus.value(), modulus.value() << 1, modulus.value() << 2);
                let (p, p2, p4) = ($splat(simd, p), $splat(simd, p2), $splat(simd, p4));
                let inverse = $splat(simd, modulus.montgomery_inverse());
                let radix = $splat(simd, modulus.prepare_factor(1));
                let below = |x: $register, bound: $register| $min(simd, x, $sub32(simd, x, bound));
                let correction = |x: $register| $mul(simd, $mul(simd, x, inverse), p);
                for (index, block) in blocks.iter_mut().enumerate() {
                    let (even, odd) = sums(index);
                    let high = $blend(simd, $shift(simd, even), odd);
                    let high = below(below(high, p4), p2);
                    let low = $blend(simd, $shift(simd, correction(even)), correction(odd));
                    let value = below(below($sub32(simd, $add32(simd, high, p), low), p2), p);
                    let (even, odd) = (
                        $mul(simd, value, radix),
                        $mul(simd, $shift(simd, value), radix),
                    );
                    let high = $blend(simd, $shift(simd, even), odd);
                    let low = $blend(simd, $shift(simd, correction(even)), correction(odd));
                    let residues = below($sub32(simd, $add32(simd, high, p), low), p);
                    *block = pulp::cast!(finish(residues));
                }
            }
        }
    };
}

lazy_sums!(
    avx512,
    V4,
    __m512i,
    16,
    |simd: V4, x: u32| simd.avx512f._mm512_set1_epi32(x as i32),
    |simd: V4, a, b| simd.avx512f._mm512_mul_epu32(a, b),
    |simd: V4, a, b| simd.avx512f._mm512_add_epi64(a, b),
    |simd: V4, a, b| simd.avx512f._mm512_add_epi32(a, b),
    |simd: V4, a, b| simd.avx512f._mm512_sub_epi32(a, b),
    |simd: V4, a, b| simd.avx512f._mm512_min_epu32(a, b),
    |simd: V4, a| simd.avx512f._mm512_srli_epi64::<32>(a),
    |simd: V4, even, odd| simd.avx512f._mm512_mask_blend_epi32(0xaaaa, even, odd),
    |simd: V4, x: u64| simd.avx512f._mm512_set1_epi64(x as i64),
    |simd: V4, x, indices| simd.avx512f._mm512_permutexvar_epi32(indices, x),
    [0u32, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15]
);

lazy_sums!(
    avx2,
    V3,
    __m256i,
    8,
    |simd: V3, x: u32| simd.avx._mm256_set1_epi32(x as i32),
    |simd: V3, a, b| simd.avx2._mm256_mul_epu32(a, b),
    |simd: V3, a, b| simd.avx2._mm256_add_epi64(a, b),
    |simd: V3, a, b| simd.avx2._mm256_add_epi32(a, b),
    |simd: V3, a, b| simd.avx2._mm256_sub_epi32(a, b),
    |simd: V3, a, b| simd.avx2._mm256_min_epu32(a, b),
    |simd: V3, a| simd.avx2._mm256_srli_epi64::<32>(a),
    |simd: V3, even, odd| simd.avx2._mm256_blend_epi32::<0xaa>(even, odd),
    |simd: V3, x: u64| simd.avx._mm256_set1_epi64x(x as i64),
    |simd: V3, x, indices| simd.avx2._mm256_permutevar8x32_epi32(x, indices),
    [0u32, 2, 4, 6, 1, 3, 5, 7]
);
