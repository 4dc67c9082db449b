//! One suite that every kernel passes, against definitions evaluated with 128-bit integers. A check panics where a kernel fails it.

mod sums;
mod transforms;

use super::{Kernel, kernels_for};
use crate::{Modulus, primes::ntt_primes_below};

/// The checks by name.
pub const CHECKS: [(&str, fn()); 5] = [
    (
        "forward_evaluates_at_odd_powers_in_bit_reversed_order",
        transforms::forward_evaluates_at_odd_powers_in_bit_reversed_order,
    ),
    (
        "inverse_undoes_forward_at_the_real_size",
        transforms::inverse_undoes_forward_at_the_real_size,
    ),
    (
        "transforms_multiply_negacyclically",
        transforms::transforms_multiply_negacyclically,
    ),
    (
        "sums_are_reduced_exactly_with_sixteen_terms",
        sums::sums_are_reduced_exactly_with_sixteen_terms,
    ),
    (
        "quotients_are_rounded_to_nearest",
        sums::quotients_are_rounded_to_nearest,
    ),
];

fn values(seed: u64, count: usize, bound: u32) -> Vec<u32> {
    let mut state = seed;
    (0..count)
        .map(|i| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            // The extremes take part.
            if i % 17 == 0 {
                bound - 1
            } else {
                ((state >> 33) % bound as u64) as u32
            }
        })
        .collect()
}

fn for_each_kernel(degree: usize, check: impl Fn(&dyn Kernel, u32)) {
    for bound in [1 << 30, 1 << 27, 1 << 21, 1 << 17] {
        let p = ntt_primes_below(bound, degree).next().unwrap();
        let kernels = kernels_for(Modulus::new(p).unwrap(), degree);
        assert!(!kernels.is_empty());
        for kernel in kernels {
            check(&*kernel, p);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kernel_of_this_processor_passes() {
        for (name, check) in super::CHECKS {
            println!("{name}");
            check();
        }
        let modulus = crate::Modulus::new(1_073_479_681).unwrap();
        let names: Vec<_> = crate::kernels_for(modulus, 64)
            .iter()
            .map(|k| k.name())
            .collect();
        println!("{names:?}");
        // Otherwise a slow kernel would pass for a fast one.
        #[cfg(all(target_arch = "x86_64", feature = "avx512"))]
        assert_eq!(
            names.last() == Some(&"tfhe-ntt, sums in AVX-512"),
            std::is_x86_feature_detected!("avx512f")
        );
    }
}
