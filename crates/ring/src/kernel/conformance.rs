//! One suite that every kernel passes, against definitions evaluated with 128-bit integers. A check panics where a kernel fails it.

use super::kernels_for;
use crate::{Modulus, primes::ntt_primes_below};

/// The checks by name.
pub const CHECKS: [(&str, fn()); 5] = [
    (
        "forward_evaluates_at_odd_powers_in_bit_reversed_order",
        forward_evaluates_at_odd_powers_in_bit_reversed_order,
    ),
    (
        "inverse_undoes_forward_at_the_real_size",
        inverse_undoes_forward_at_the_real_size,
    ),
    (
        "transforms_multiply_negacyclically",
        transforms_multiply_negacyclically,
    ),
    (
        "sums_are_reduced_exactly_with_sixteen_terms",
        sums_are_reduced_exactly_with_sixteen_terms,
    ),
    (
        "quotients_are_rounded_to_nearest",
        quotients_are_rounded_to_nearest,
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

fn for_each_kernel(degree: usize, check: impl Fn(&dyn super::Kernel, u32)) {
    for bound in [1 << 30, 1 << 27, 1 << 21, 1 << 17] {
        let p = ntt_primes_below(bound, degree).next().unwrap();
        let kernels = kernels_for(Modulus::new(p).unwrap(), degree);
        assert!(!kernels.is_empty());
        for kernel in kernels {
            check(&*kernel, p);
        }
    }
}

/// The forward transform by Horner's rule.
pub fn forward_evaluates_at_odd_powers_in_bit_reversed_order() {
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
pub fn inverse_undoes_forward_at_the_real_size() {
    let degree = 1 << 15;
    for bound in [1 << 30, 1 << 27] {
        let p = ntt_primes_below(bound, degree).next().unwrap();
        for kernel in kernels_for(Modulus::new(p).unwrap(), degree) {
            let f = values(2, degree, p);
            let mut g = f.clone();
            kernel.forward(&mut g);
            assert_ne!(f, g);
            assert!(g.iter().all(|&x| x < p), "{}", kernel.name());
            kernel.inverse(&mut g);
            assert_eq!(f, g, "{} mod {p}", kernel.name());
        }
    }
}

/// The product of polynomials, term by term.
pub fn transforms_multiply_negacyclically() {
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

/// Lazy sums and everything element by element.
pub fn sums_are_reduced_exactly_with_sixteen_terms() {
    let degree = 128;
    for_each_kernel(degree, |kernel, p| {
        let m = kernel.modulus();
        for terms in [1usize, 3, 16] {
            let lhs: Vec<_> = (0..terms)
                .map(|i| values(10 + i as u64, degree, p))
                .collect();
            let rhs: Vec<_> = (0..terms)
                .map(|i| values(40 + i as u64, degree, p))
                .collect();
            let foreign: Vec<_> = (0..terms)
                .map(|i| values(70 + i as u64, degree, 1 << 30))
                .collect();
            let scalars = values(5, terms, p);
            let l: Vec<&[u32]> = lhs.iter().map(Vec::as_slice).collect();
            let r: Vec<&[u32]> = rhs.iter().map(Vec::as_slice).collect();
            let f: Vec<&[u32]> = foreign.iter().map(Vec::as_slice).collect();
            let (mut dot, mut combined) = (vec![7; degree], vec![7; degree]);
            kernel.dot(&mut dot, &l, &r);
            kernel.combine(&mut combined, &f, &scalars);
            for j in 0..degree {
                let want: u128 = (0..terms).map(|i| l[i][j] as u128 * r[i][j] as u128).sum();
                assert_eq!(dot[j] as u128, want % p as u128, "{}", kernel.name());
                let want: u128 = (0..terms)
                    .map(|i| f[i][j] as u128 * scalars[i] as u128)
                    .sum();
                assert_eq!(combined[j] as u128, want % p as u128, "{}", kernel.name());
            }
        }
        let (a, b) = (values(6, degree, p), values(7, degree, p));
        let factor = p - 2;
        let check = |name: &str, run: &dyn Fn(&mut [u32]), want: &dyn Fn(u32, u32) -> i128| {
            let mut out = a.clone();
            run(&mut out);
            for (j, &got) in out.iter().enumerate() {
                assert_eq!(
                    got as i128,
                    want(a[j], b[j]).rem_euclid(p as i128),
                    "{name} of {}",
                    kernel.name()
                );
            }
        };
        check("add", &|out| kernel.add_assign(out, &b), &|a, b| {
            a as i128 + b as i128
        });
        check("sub", &|out| kernel.sub_assign(out, &b), &|a, b| {
            a as i128 - b as i128
        });
        check("neg", &|out| kernel.neg_assign(out), &|a, _| -(a as i128));
        check("scale", &|out| kernel.scale_assign(out, factor), &|a, _| {
            a as i128 * factor as i128
        });
        check(
            "sub_scale",
            &|out| kernel.sub_scale_assign(out, &b, factor),
            &|a, b| (a as i128 - b as i128) * factor as i128,
        );
        let signed: Vec<i64> = b
            .iter()
            .enumerate()
            .map(|(i, &x)| (x as i64) << (i % 21))
            .map(|x| if x % 3 == 0 { -x } else { x })
            .chain([
                0,
                1,
                -1,
                (1 << 51) - 1,
                1 - (1 << 51),
                p as i64,
                -(p as i64),
                1 - p as i64,
            ])
            .cycle()
            .skip(8)
            .take(degree)
            .collect();
        let mut reduced = vec![0; degree];
        kernel.reduce_signed(&mut reduced, &signed);
        for (&got, &x) in reduced.iter().zip(&signed) {
            assert_eq!(
                got,
                m.from_i128(x as i128),
                "reduce_signed of {}",
                kernel.name()
            );
        }
    });
}

/// The quotient of base conversions: what single precision gives, the same with every width of vectors.
pub fn quotients_are_rounded_to_nearest() {
    let (degree, p) = (640, (1 << 30) - 35);
    let limbs: Vec<_> = (0..7).map(|i| values(i, degree, p)).collect();
    let terms: Vec<(&[u32], f32)> = limbs.iter().map(|l| (&l[..], 1.0 / p as f32)).collect();
    let mut quotients = vec![9; degree];
    super::rounded_sum(&mut quotients, &terms);
    for (j, &got) in quotients.iter().enumerate() {
        let sum: f32 = limbs
            .iter()
            .fold(0.5, |sum, l| sum + l[j] as i32 as f32 * (1.0 / p as f32));
        assert_eq!(got, sum as u32, "in single precision at {j}");
        let exact: f64 = limbs.iter().map(|l| l[j] as f64 / p as f64).sum();
        assert!((got as f64 - exact).abs() < 0.5 + 1e-5, "{got} for {exact}");
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
        let names: Vec<_> = super::kernels_for(modulus, 64)
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
