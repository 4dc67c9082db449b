//! The inner loops on one limb, behind one trait: number-theoretic transforms and lazy sums of products.

mod elementwise;
#[cfg(target_arch = "x86_64")]
mod native;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod wide;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

use crate::{Factor, Modulus};

/// Arithmetic on vectors of residues of one prime, as a processor does it best.
///
/// Residues are below the prime before and after every call. All slices of a call have one length; transforms have the
/// length `N` the kernel was made for.
pub trait Kernel: Send + Sync {
    /// A name for tables and test failures.
    fn name(&self) -> &'static str;

    /// The prime.
    fn modulus(&self) -> Modulus;

    /// Coefficients to evaluations: afterwards index `j` holds `f(psi^(2 bitrev(j) + 1))`, `psi` being the kernel's own root.
    fn forward(&self, values: &mut [u32]);

    /// Evaluations to coefficients, the exact inverse of [`Kernel::forward`].
    fn inverse(&self, values: &mut [u32]) {
        self.inverse_scaled(values, self.modulus().factor(1));
    }

    /// Evaluations to coefficients times a constant.
    fn inverse_scaled(&self, values: &mut [u32], factor: Factor);

    /// `out = sum_i lhs[i] * rhs[i]`, slot by slot, for at most 16 terms.
    fn dot(&self, out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]]);

    /// `outs[k] = sum_i lhs[i] * factors[k][i]`, slot by slot, for at most 16 terms whose right sides are residues of [`Factor`]s.
    fn dot_factors(&self, outs: [&mut [u32]; 2], lhs: &[&[u32]], factors: [&[&[u32]]; 2]);

    /// `out = sum_i factors[i] * terms[i]` for at most 16 terms, which may be residues of other primes below 2^30.
    fn combine(&self, out: &mut [u32], terms: &[&[u32]], factors: &[Factor]);

    /// `out += other`.
    fn add_assign(&self, out: &mut [u32], other: &[u32]);

    /// `out -= other`.
    fn sub_assign(&self, out: &mut [u32], other: &[u32]);

    /// `out = -out`.
    fn neg_assign(&self, out: &mut [u32]);

    /// `out *= factor`.
    fn scale_assign(&self, out: &mut [u32], factor: Factor);

    /// `out += other * factor`.
    fn add_scaled_assign(&self, out: &mut [u32], other: &[u32], factor: Factor);

    /// `out = values mod p`, for values below [`Modulus::signed_bound`] in absolute value.
    fn reduce_signed(&self, out: &mut [u32], values: &[i64]);

    /// `out = values mod p`, for values below `p` in absolute value.
    fn reduce_small(&self, out: &mut [u32], values: &[i32]);
}

/// The fastest kernel that this processor has for a prime and a degree; `None` where the transform does not exist.
pub fn kernel_for(modulus: Modulus, degree: usize) -> Option<Box<dyn Kernel>> {
    kernels_for(modulus, degree).pop()
}

/// Every kernel that runs on this processor, slowest first.
pub fn kernels_for(modulus: Modulus, degree: usize) -> Vec<Box<dyn Kernel>> {
    let mut kernels: Vec<Box<dyn Kernel>> = Vec::new();
    if let Some(kernel) = portable::PortableKernel::new(modulus, degree) {
        kernels.push(Box::new(kernel));
    }
    #[cfg(target_arch = "x86_64")]
    for kernel in native::NativeKernel::all(modulus, degree) {
        kernels.push(Box::new(kernel));
    }
    kernels
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use elementwise::{permute, rounded_sum};
#[cfg(target_arch = "x86_64")]
pub(crate) use native::{permute, rounded_sum};
