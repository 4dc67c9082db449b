//! The transforms, against Horner's rule and products of polynomials term by term.

use super::{for_each_kernel, values};
use crate::{Modulus, kernel::kernels_for, primes::ntt_primes_below};

/// The forward transform by Horner's rule.
pub(super) fn forward_evaluates_at_odd_powers_in_bit_reversed_order() {
    let degree = 64;
    for_each_kernel(degree, |kernel, p| {
        let m = kernel.modulus();
        let mut x = vec![0; degree];
        x[1] = 1;
        kernel.forward(&mut x);
        let psi = x[0];
        assert_eq!(m.pow(psi, degree as u32), p - 1, "{}", kernel.name());
        let f = values(1, degree, p);
        let mut transformed = f.clone();
        kernel.forward(&mut transformed);
        for (j, &got) in transformed.iter().enumerate() {
            let reversed = j.reverse_bits() >> (usize::BITS - degree.trailing_zeros());
            let point = m.pow(psi, 2 * reversed as u32 + 1) as u128;
            let want = f
                .iter()
                .rev()
                .fold(0u128, |sum, &c| (sum * point + c as u128) % p as u128);
            assert_eq!(got as u128, want, "{} at {j} mod {p}", kernel.name());
        }
    });
}

/// Both transforms at N = 2^15.
pub(super) fn inverse_undoes_forward_at_the_real_size() {
    let degree = 1 << 15;
    for bound in [1 << 30, 1 << 27] {
        let p = ntt_primes_below(bound, degree).next().unwrap();
        for kernel in kernels_for(Modulus::new(p).unwrap(), degree) {
            let f = values(2, degree, p);
            let mut g = f.clone();
            kernel.forward(&mut g);
            assert_ne!(f, g);
            assert!(g.iter().all(|&x| x < p), "{}", kernel.name());
            let mut scaled = g.clone();
            kernel.inverse(&mut g);
            assert_eq!(f, g, "{} mod {p}", kernel.name());
            let m = kernel.modulus();
            kernel.inverse_scaled(&mut scaled, m.factor(p - 3));
            let want: Vec<u32> = f.iter().map(|&c| m.mul(c, p - 3)).collect();
            assert_eq!(scaled, want, "{} mod {p}", kernel.name());
        }
    }
}

/// The product of polynomials, term by term.
pub(super) fn transforms_multiply_negacyclically() {
    let degree = 32;
    for_each_kernel(degree, |kernel, p| {
        let (f, g) = (values(3, degree, p), values(4, degree, p));
        let mut want = vec![0i128; degree];
        for (i, &a) in f.iter().enumerate() {
            for (j, &b) in g.iter().enumerate() {
                let sign = if i + j >= degree { -1 } else { 1 };
                want[(i + j) % degree] += sign * a as i128 * b as i128;
            }
        }
        let (mut f, mut g, mut product) = (f, g, vec![0; degree]);
        kernel.forward(&mut f);
        kernel.forward(&mut g);
        kernel.dot(&mut product, &[&f], &[&g]);
        kernel.inverse(&mut product);
        for (got, want) in product.into_iter().zip(want) {
            assert_eq!(got as i128, want.rem_euclid(p as i128), "{}", kernel.name());
        }
    });
}
