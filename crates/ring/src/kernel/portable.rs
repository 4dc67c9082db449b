//! The kernel for every target, and the fast one in WebAssembly: radix-2 transforms on u32 with Shoup's products.

use super::{Kernel, elementwise};
use crate::{Factor, Modulus, primes::primitive_root};

/// A constant factor `w` with `floor(w 2^32 / p)` (Shoup; Harvey, arXiv 1205.2926, section 3).
#[derive(Clone, Copy)]
struct Twiddle {
    value: u32,
    quotient: u32,
}

impl Twiddle {
    fn new(value: u32, modulus: Modulus) -> Self {
        Self {
            value,
            quotient: (((value as u64) << 32) / modulus.value() as u64) as u32,
        }
    }

    /// `x * w mod p`, up to one `p`: the result is in `[0, 2p)` for any 32-bit `x`.
    #[inline(always)]
    fn mul_lazy(self, x: u32, p: u32) -> u32 {
        let quotient = ((x as u64 * self.quotient as u64) >> 32) as u32;
        x.wrapping_mul(self.value)
            .wrapping_sub(quotient.wrapping_mul(p))
    }
}

/// Cooley-Tukey forward, Gentleman-Sande inverse, values kept in `[0, 4p)` and `[0, 2p)` between the stages (Harvey).
pub(super) struct PortableKernel {
    modulus: Modulus,
    /// Powers of the root in bit-reversed order, and of its inverse.
    forward: Vec<Twiddle>,
    inverse: Vec<Twiddle>,
    /// `1/N`.
    normalise: u32,
}

impl PortableKernel {
    pub(super) fn new(modulus: Modulus, degree: usize) -> Option<Self> {
        if !degree.is_power_of_two() || degree < 32 {
            return None;
        }
        let root = primitive_root(modulus, degree)?;
        let powers = |base: u32| {
            let mut ordered = vec![0; degree];
            let mut power = 1;
            for i in 0..degree {
                ordered[i.reverse_bits() >> (usize::BITS - degree.trailing_zeros())] = power;
                power = modulus.mul(power, base);
            }
            ordered
                .into_iter()
                .map(|value| Twiddle::new(value, modulus))
                .collect()
        };
        Some(Self {
            modulus,
            forward: powers(root),
            inverse: powers(modulus.inv(root)),
            normalise: modulus.inv(degree as u32),
        })
    }
}

#[inline(always)]
fn once(value: u32, bound: u32) -> u32 {
    value.min(value.wrapping_sub(bound))
}

impl Kernel for PortableKernel {
    fn name(&self) -> &'static str {
        "portable"
    }

    fn modulus(&self) -> Modulus {
        self.modulus
    }

    fn forward(&self, values: &mut [u32]) {
        assert_eq!(values.len(), self.forward.len());
        let p = self.modulus.value();
        let mut half = values.len() / 2;
        let mut groups = 1;
        while half >= 1 {
            for (group, &w) in values
                .chunks_exact_mut(2 * half)
                .zip(&self.forward[groups..2 * groups])
            {
                let (low, high) = group.split_at_mut(half);
                for (a, b) in low.iter_mut().zip(high) {
                    let u = once(*a, 2 * p);
                    let v = w.mul_lazy(*b, p);
                    *a = u.wrapping_add(v);
                    *b = u.wrapping_sub(v).wrapping_add(2 * p);
                }
            }
            half /= 2;
            groups *= 2;
        }
        for value in values.iter_mut() {
            *value = once(once(*value, 2 * p), p);
        }
    }

    fn inverse_scaled(&self, values: &mut [u32], factor: Factor) {
        assert_eq!(values.len(), self.inverse.len());
        let p = self.modulus.value();
        let mut half = 1;
        let mut groups = values.len() / 2;
        while groups >= 1 {
            for (group, &w) in values
                .chunks_exact_mut(2 * half)
                .zip(&self.inverse[groups..2 * groups])
            {
                let (low, high) = group.split_at_mut(half);
                for (a, b) in low.iter_mut().zip(high) {
                    let (u, v) = (*a, *b);
                    *a = once(u.wrapping_add(v), 2 * p);
                    *b = w.mul_lazy(u.wrapping_sub(v).wrapping_add(2 * p), p);
                }
            }
            half *= 2;
            groups /= 2;
        }
        let last = Twiddle::new(self.modulus.scale(self.normalise, factor), self.modulus);
        for value in values.iter_mut() {
            *value = once(last.mul_lazy(*value, p), p);
        }
    }

    fn dot(&self, out: &mut [u32], lhs: &[&[u32]], rhs: &[&[u32]]) {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        super::simd128::dot(self.modulus, out, lhs, rhs);
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        elementwise::dot(self.modulus, out, lhs, rhs);
    }

    fn dot_factors(&self, outs: [&mut [u32]; 2], lhs: &[&[u32]], factors: [&[&[u32]]; 2]) {
        elementwise::dot_factors(self.modulus, outs, lhs, factors);
    }

    fn combine(&self, out: &mut [u32], terms: &[&[u32]], factors: &[Factor]) {
        elementwise::combine(self.modulus, out, terms, factors);
    }

    fn add_assign(&self, out: &mut [u32], other: &[u32]) {
        elementwise::add_assign(self.modulus, out, other);
    }

    fn sub_assign(&self, out: &mut [u32], other: &[u32]) {
        elementwise::sub_assign(self.modulus, out, other);
    }

    fn neg_assign(&self, out: &mut [u32]) {
        elementwise::neg_assign(self.modulus, out);
    }

    fn scale_assign(&self, out: &mut [u32], factor: Factor) {
        elementwise::scale_assign(self.modulus, out, factor);
    }

    fn add_scaled_assign(&self, out: &mut [u32], other: &[u32], factor: Factor) {
        elementwise::add_scaled_assign(self.modulus, out, other, factor);
    }

    fn reduce_signed(&self, out: &mut [u32], values: &[i64]) {
        elementwise::reduce_signed(self.modulus, out, values);
    }

    fn reduce_small(&self, out: &mut [u32], values: &[i32]) {
        elementwise::reduce_small(self.modulus, out, values);
    }
}
