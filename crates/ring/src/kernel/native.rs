//! The kernel for x86-64 with AVX2 or more: `tfhe-ntt` transforms, and our loops compiled for AVX-512 and AVX2, chosen at run time.

use super::{Kernel, elementwise, wide};
use crate::{Factor, Modulus};
use pulp::{
    Arch,
    x86::{V3, V4},
};
use tfhe_ntt::prime32::Plan;

pub(super) struct NativeKernel {
    modulus: Modulus,
    /// `1/N`: the plan's inverse leaves the factor `N` in.
    normalise: u32,
    /// Chooses its own instruction set: AVX-512 where processor and feature allow it, whatever `arch` says.
    plan: Plan,
    arch: Arch,
}

/// The instruction sets of this processor that our loops are compiled for, widest last.
fn arches() -> Vec<Arch> {
    let widest = V4::try_new().filter(|_| cfg!(feature = "avx512"));
    let arches = [V3::try_new().map(Arch::V3), widest.map(Arch::V4)];
    arches.into_iter().flatten().collect()
}

/// `out = round(sum_i values_i * factors_i)`, with the widest vectors of this processor.
pub(crate) fn rounded_sum(out: &mut [u32], terms: &[(&[u32], f32)]) {
    let arch = arches().pop().unwrap_or(Arch::Scalar);
    arch.dispatch(
        #[inline(always)]
        || elementwise::rounded_sum(out, terms),
    );
}

/// [`elementwise::permute`], with the widest vectors of this processor.
pub(crate) fn permute(out: &mut [u32], values: &[u32], sources: &[u32]) {
    assert!(out.len() == values.len() && out.len() == sources.len());
    match arches().pop() {
        Some(Arch::V4(simd)) => simd.vectorize(
            #[inline(always)]
            || wide::avx512::permute(simd, out, values, sources),
        ),
        Some(Arch::V3(simd)) => simd.vectorize(
            #[inline(always)]
            || wide::avx2::permute(simd, out, values, sources),
        ),
        _ => elementwise::permute(out, values, sources),
    }
}

impl NativeKernel {
    /// One kernel for each instruction set of this processor that our loops are compiled for, widest last. Below AVX2 there is none:
    /// the transforms of `tfhe-ntt` would be scalar, and the portable kernel's vectors are faster.
    pub(super) fn all(modulus: Modulus, degree: usize) -> Vec<Self> {
        arches()
            .into_iter()
            .filter_map(|arch| {
                Some(Self {
                    modulus,
                    normalise: modulus.inv(degree as u32),
                    plan: Plan::try_new(degree, modulus.value())?,
                    arch,
                })
            })
            .collect()
    }
}

impl Kernel for NativeKernel {
    fn name(&self) -> &'static str {
        match self.arch {
            Arch::V4(_) => "tfhe-ntt, sums in AVX-512",
            _ => "tfhe-ntt, sums in AVX2",
        }
    }

    fn modulus(&self) -> Modulus {
        self.modulus
    }

    fn forward(&self, values: &mut [u32]) {
        self.plan.fwd(values);
    }

    fn inverse_scaled(&self, values: &mut [u32], factor: Factor) {
        self.plan.inv(values);
        let factor = self.modulus.scale(self.normalise, factor);
        self.scale_assign(values, self.modulus.factor(factor));
    }

    fn dot(&self, out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]]) {
        match self.arch {
            Arch::V4(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx512::dot(simd, self.modulus, out, lhs, rhs),
            ),
            Arch::V3(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx2::dot(simd, self.modulus, out, lhs, rhs),
            ),
            _ => elementwise::dot(self.modulus, out, lhs, rhs),
        }
    }

    fn dot_factors(&self, outs: [&mut [u32]; 2], lhs: &[&[u32]], factors: [&[&[u32]]; 2]) {
        match self.arch {
            Arch::V4(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx512::dot_factors(simd, self.modulus, outs, lhs, factors),
            ),
            Arch::V3(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx2::dot_factors(simd, self.modulus, outs, lhs, factors),
            ),
            _ => elementwise::dot_factors(self.modulus, outs, lhs, factors),
        }
    }

    fn combine(&self, out: &mut [u32], terms: &[&[u32]], factors: &[Factor]) {
        match self.arch {
            Arch::V4(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx512::combine(simd, self.modulus, out, terms, factors),
            ),
            Arch::V3(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx2::combine(simd, self.modulus, out, terms, factors),
            ),
            _ => elementwise::combine(self.modulus, out, terms, factors),
        }
    }

    fn add_assign(&self, out: &mut [u32], other: &[u32]) {
        self.arch.dispatch(
            #[inline(always)]
            || elementwise::add_assign(self.modulus, out, other),
        );
    }

    fn sub_assign(&self, out: &mut [u32], other: &[u32]) {
        self.arch.dispatch(
            #[inline(always)]
            || elementwise::sub_assign(self.modulus, out, other),
        );
    }

    fn neg_assign(&self, out: &mut [u32]) {
        self.arch.dispatch(
            #[inline(always)]
            || elementwise::neg_assign(self.modulus, out),
        );
    }

    fn scale_assign(&self, out: &mut [u32], factor: Factor) {
        match self.arch {
            Arch::V4(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx512::scale(simd, self.modulus, out, factor),
            ),
            Arch::V3(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx2::scale(simd, self.modulus, out, factor),
            ),
            _ => elementwise::scale_assign(self.modulus, out, factor),
        }
    }

    fn add_scaled_assign(&self, out: &mut [u32], other: &[u32], factor: Factor) {
        match self.arch {
            Arch::V4(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx512::add_scaled(simd, self.modulus, out, other, factor),
            ),
            Arch::V3(simd) => simd.vectorize(
                #[inline(always)]
                || wide::avx2::add_scaled(simd, self.modulus, out, other, factor),
            ),
            _ => elementwise::add_scaled_assign(self.modulus, out, other, factor),
        }
    }

    fn reduce_signed(&self, out: &mut [u32], values: &[i64]) {
        match self.arch {
            Arch::V4(simd) if self.modulus.value() > 1 << 17 => simd.vectorize(
                #[inline(always)]
                || wide::avx512::reduce_signed(simd, self.modulus, out, values),
            ),
            Arch::V3(simd) if self.modulus.value() > 1 << 17 => simd.vectorize(
                #[inline(always)]
                || wide::avx2::reduce_signed(simd, self.modulus, out, values),
            ),
            _ => elementwise::reduce_signed(self.modulus, out, values),
        }
    }

    fn reduce_small(&self, out: &mut [u32], values: &[i32]) {
        self.arch.dispatch(
            #[inline(always)]
            || elementwise::reduce_small(self.modulus, out, values),
        );
    }
}
