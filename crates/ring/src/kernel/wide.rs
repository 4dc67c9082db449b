//! Lazy sums of products, reduction of signed numbers and permutations with AVX-512 and AVX2.
//!
//! The compiler's own vectors for `u32 * u32 -> u64` sums are no faster than scalar code, and a gather fetches one number at a time, so
//! these loops are written in intrinsics, through `pulp`'s safe wrappers.

use crate::{Factor, Modulus};
use pulp::x86::{V3, V4};
use std::arch::x86_64::{__m256i, __m512i};

/// Residues worked on at a time. Every supported degree is a multiple of it.
const BLOCK: usize = 32;

macro_rules! lazy_sums {
    ($name:ident, $simd:ty, $register:ty, $lanes:literal, $splat:expr, $mul:expr, $mullo:expr, $add64:expr, $add32:expr, $sub32:expr, $min:expr, $shift:expr, $blend:expr, $splat64:expr, $shuffle:expr, $order:expr) => {
        pub(super) mod $name {
            use super::*;

            const LANES: usize = $lanes;

            /// Registers worked on at a time.
            const REGISTERS: usize = BLOCK / LANES;

            /// The 64-bit sums of a block, in even and odd lanes.
            type Sums = [($register, $register); REGISTERS];

            /// A block of residues as registers.
            #[inline(always)]
            fn registers(values: &[u32], block: usize) -> [$register; REGISTERS] {
                pulp::cast!(values.as_chunks::<BLOCK>().0[block])
            }

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
                let reduction = Reduction::new(simd, modulus);
                let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
                assert!(rest.is_empty());
                for (index, block) in blocks.iter_mut().enumerate() {
                    let mut sums: Sums = [($splat(simd, 0), $splat(simd, 0)); REGISTERS];
                    for (a, b) in lhs.iter().zip(rhs) {
                        let (a, b) = (registers(a, index), registers(b, index));
                        for r in 0..REGISTERS {
                            add_product(simd, &mut sums[r], a[r], $shift(simd, a[r]), b[r]);
                        }
                    }
                    let mut residues = [$splat(simd, 0); REGISTERS];
                    for (residue, sum) in residues.iter_mut().zip(sums) {
                        *residue = reduction.reduce_wide(simd, sum);
                    }
                    *block = pulp::cast!(residues);
                }
            }

            /// Both `sum_i lhs[i] * factors[k][i]`.
            #[inline(always)]
            pub(in super::super) fn dot_factors(
                simd: $simd,
                modulus: Modulus,
                [out0, out1]: [&mut [u32]; 2],
                lhs: &[&[u32]],
                [factors0, factors1]: [&[&[u32]]; 2],
            ) {
                assert!(lhs.len() == factors0.len() && lhs.len() == factors1.len());
                assert!(lhs.len() <= 16 && out0.len() == out1.len());
                let reduction = Reduction::new(simd, modulus);
                let (blocks0, rest) = out0.as_chunks_mut::<BLOCK>();
                assert!(rest.is_empty());
                let blocks = blocks0.iter_mut().zip(out1.as_chunks_mut::<BLOCK>().0);
                for (index, (block0, block1)) in blocks.enumerate() {
                    let mut sums0: Sums = [($splat(simd, 0), $splat(simd, 0)); REGISTERS];
                    let mut sums1 = sums0;
                    for (a, (b, c)) in lhs.iter().zip(factors0.iter().zip(factors1)) {
                        let a = registers(a, index);
                        let (b, c) = (registers(b, index), registers(c, index));
                        for r in 0..REGISTERS {
                            let odd = $shift(simd, a[r]);
                            add_product(simd, &mut sums0[r], a[r], odd, b[r]);
                            add_product(simd, &mut sums1[r], a[r], odd, c[r]);
                        }
                    }
                    for (block, sums) in [(block0, sums0), (block1, sums1)] {
                        *block = reduction.reduce_block(simd, sums, lhs.len());
                    }
                }
            }

            /// `sum_i factors[i] * terms[i]`.
            #[inline(always)]
            pub(in super::super) fn combine(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                terms: &[&[u32]],
                factors: &[Factor],
            ) {
                assert!(terms.len() == factors.len() && terms.len() <= 16);
                let reduction = Reduction::new(simd, modulus);
                let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
                assert!(rest.is_empty());
                for (index, block) in blocks.iter_mut().enumerate() {
                    let mut sums: Sums = [($splat(simd, 0), $splat(simd, 0)); REGISTERS];
                    for (a, factor) in terms.iter().zip(factors) {
                        let a = registers(a, index);
                        let factor = $splat(simd, factor.0);
                        for r in 0..REGISTERS {
                            let (even, odd) = &mut sums[r];
                            *even = $add64(simd, *even, $mul(simd, a[r], factor));
                            *odd = $add64(simd, *odd, $mul(simd, $shift(simd, a[r]), factor));
                        }
                    }
                    *block = reduction.reduce_block(simd, sums, terms.len());
                }
            }

            /// Adds the products of even and odd lanes; `odd` holds the odd lanes of `a` in even places.
            #[inline(always)]
            fn add_product(
                simd: $simd,
                sums: &mut ($register, $register),
                a: $register,
                odd: $register,
                b: $register,
            ) {
                sums.0 = $add64(simd, sums.0, $mul(simd, a, b));
                sums.1 = $add64(simd, sums.1, $mul(simd, odd, $shift(simd, b)));
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
                let reduction = Reduction::new(simd, modulus);
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                assert!(rest.is_empty());
                for (index, block) in blocks.iter_mut().enumerate() {
                    let first: $register = pulp::cast!(halves[2 * index]);
                    let second: $register = pulp::cast!(halves[2 * index + 1]);
                    let sums = (
                        $add64(simd, first, positive),
                        $add64(simd, second, positive),
                    );
                    // The halves come out as even and odd lanes.
                    let residues = reduction.reduce_wide(simd, sums);
                    *block = pulp::cast!($shuffle(simd, residues, order));
                }
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
                factor: Factor,
            ) {
                let reduction = Reduction::new(simd, modulus);
                let factor = $splat(simd, factor.0);
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                assert!(rest.is_empty());
                for block in blocks {
                    *block = pulp::cast!(reduction.product(simd, pulp::cast!(*block), factor));
                }
            }

            /// `out += other * factor`.
            #[inline(always)]
            pub(in super::super) fn add_scaled(
                simd: $simd,
                modulus: Modulus,
                out: &mut [u32],
                other: &[u32],
                factor: Factor,
            ) {
                assert_eq!(out.len(), other.len());
                let reduction = Reduction::new(simd, modulus);
                let factor = $splat(simd, factor.0);
                let (blocks, rest) = out.as_chunks_mut::<LANES>();
                assert!(rest.is_empty());
                for (block, other) in blocks.iter_mut().zip(other.as_chunks::<LANES>().0) {
                    let product = reduction.product(simd, pulp::cast!(*other), factor);
                    let sum = $add32(simd, pulp::cast!(*block), product);
                    *block = pulp::cast!(reduction.below(simd, sum, 0));
                }
            }

            /// The constants of reductions after Montgomery, in every lane.
            struct Reduction {
                /// `p`, `2p` and `4p`.
                multiples: [$register; 3],
                inverse: $register,
                radix: $register,
            }

            impl Reduction {
                #[inline(always)]
                fn new(simd: $simd, modulus: Modulus) -> Self {
                    let p = modulus.value();
                    Self {
                        multiples: [$splat(simd, p), $splat(simd, p << 1), $splat(simd, p << 2)],
                        inverse: $splat(simd, modulus.montgomery_inverse()),
                        radix: $splat(simd, modulus.radix_squared()),
                    }
                }

                /// The smaller of `x` and `x - 2^k p`: the one that did not wrap.
                #[inline(always)]
                fn below(&self, simd: $simd, x: $register, k: usize) -> $register {
                    $min(simd, x, $sub32(simd, x, self.multiples[k]))
                }

                /// The upper halves of even and odd sums.
                #[inline(always)]
                fn upper(simd: $simd, (even, odd): ($register, $register)) -> $register {
                    $blend(simd, $shift(simd, even), odd)
                }

                /// `high + p` less the high half of the multiple of `p` that agrees with the sums modulo `2^32`.
                #[inline(always)]
                fn corrected(
                    &self,
                    simd: $simd,
                    high: $register,
                    (even, odd): ($register, $register),
                ) -> $register {
                    let [p, ..] = self.multiples;
                    // Low halves by an instruction for them: of $mul, whose high half nobody reads, the compiler makes full products of 64 bits.
                    let multiple = (
                        $mul(simd, $mullo(simd, even, self.inverse), p),
                        $mul(simd, $mullo(simd, odd, self.inverse), p),
                    );
                    $sub32(simd, $add32(simd, high, p), Self::upper(simd, multiple))
                }

                /// `x * factor` for residues and a factor in every lane.
                #[inline(always)]
                fn product(&self, simd: $simd, x: $register, factor: $register) -> $register {
                    let sums = ($mul(simd, x, factor), $mul(simd, $shift(simd, x), factor));
                    let value = self.corrected(simd, Self::upper(simd, sums), sums);
                    self.below(simd, value, 0)
                }

                /// [`Modulus::reduce_wide`].
                #[inline(always)]
                fn reduce_wide(&self, simd: $simd, sums: ($register, $register)) -> $register {
                    let high = self.below(simd, Self::upper(simd, sums), 2);
                    let high = self.below(simd, high, 1);
                    let value = self.below(simd, self.corrected(simd, high, sums), 1);
                    self.product(simd, self.below(simd, value, 0), self.radix)
                }

                /// The sums of so many products with factors.
                #[inline(always)]
                fn reduce_block(&self, simd: $simd, sums: Sums, terms: usize) -> [u32; BLOCK] {
                    let mut residues = [$splat(simd, 0); REGISTERS];
                    for (residue, sum) in residues.iter_mut().zip(sums) {
                        *residue = self.reduce_factors(simd, sum, terms);
                    }
                    pulp::cast!(residues)
                }

                /// [`Modulus::reduce_factors`] of a sum of so many products: four are below `2^32 p`, eight below twice that.
                #[inline(always)]
                fn reduce_factors(
                    &self,
                    simd: $simd,
                    sums: ($register, $register),
                    terms: usize,
                ) -> $register {
                    let mut high = Self::upper(simd, sums);
                    if terms > 8 {
                        high = self.below(simd, high, 1);
                    }
                    let mut value = self.corrected(simd, high, sums);
                    if terms > 4 {
                        value = self.below(simd, value, 1);
                    }
                    self.below(simd, value, 0)
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
    |simd: V4, a, b| simd.avx512f._mm512_mullo_epi32(a, b),
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
    |simd: V3, a, b| simd.avx2._mm256_mullo_epi32(a, b),
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
