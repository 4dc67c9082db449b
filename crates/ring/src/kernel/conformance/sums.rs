//! Sums of products and everything element by element, against 128-bit integers.

use super::{for_each_kernel, values};
use crate::kernel::rounded_sum;

/// Lazy sums and everything element by element.
pub(super) fn sums_are_reduced_exactly_with_sixteen_terms() {
    let degree = 128;
    for_each_kernel(degree, |kernel, p| {
        let m = kernel.modulus();
        for terms in [1usize, 3, 4, 5, 8, 9, 16] {
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
            let factors: Vec<_> = scalars.iter().map(|&c| m.factor(c)).collect();
            let prepared: Vec<Vec<u32>> = rhs
                .iter()
                .map(|limb| limb.iter().map(|&c| m.factor(c).residue()).collect())
                .collect();
            let prepared: Vec<&[u32]> = prepared.iter().map(Vec::as_slice).collect();
            let swapped: Vec<&[u32]> = prepared.iter().rev().copied().collect();
            let fresh = || vec![7; degree];
            let (mut dot, mut combined, mut first, mut second) =
                (fresh(), fresh(), fresh(), fresh());
            kernel.dot(&mut dot, &l, &r);
            kernel.combine(&mut combined, &f, &factors);
            kernel.dot_factors([&mut first, &mut second], &l, [&prepared, &swapped]);
            for j in 0..degree {
                let want: u128 = (0..terms).map(|i| l[i][j] as u128 * r[i][j] as u128).sum();
                assert_eq!(dot[j] as u128, want % p as u128, "{}", kernel.name());
                assert_eq!(first[j], dot[j], "factors of {}", kernel.name());
                let want: u128 = (0..terms)
                    .map(|i| l[i][j] as u128 * r[terms - 1 - i][j] as u128)
                    .sum();
                assert_eq!(second[j] as u128, want % p as u128, "{}", kernel.name());
                let want: u128 = (0..terms)
                    .map(|i| f[i][j] as u128 * scalars[i] as u128)
                    .sum();
                assert_eq!(combined[j] as u128, want % p as u128, "{}", kernel.name());
            }
        }
        let (a, b) = (values(6, degree, p), values(7, degree, p));
        let factor = m.factor(p - 2);
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
            a as i128 * (p - 2) as i128
        });
        check(
            "add_scaled",
            &|out| kernel.add_scaled_assign(out, &b, factor),
            &|a, b| a as i128 + b as i128 * (p - 2) as i128,
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
                m.signed_bound() - 1,
                1 - m.signed_bound(),
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
        let small: Vec<i32> = b
            .iter()
            .map(|&x| x as i32)
            .map(|x| if x % 3 == 0 { -x } else { x })
            .chain([0, 1, -1, p as i32 - 1, 1 - p as i32])
            .skip(5)
            .collect();
        kernel.reduce_small(&mut reduced, &small);
        for (&got, &x) in reduced.iter().zip(&small) {
            assert_eq!(
                got,
                m.from_i128(x as i128),
                "reduce_small of {}",
                kernel.name()
            );
        }
    });
}

/// The quotient of base conversions: what single precision gives, the same with every width of vectors.
pub(super) fn quotients_are_rounded_to_nearest() {
    let (degree, p) = (640, (1 << 30) - 35);
    let limbs: Vec<_> = (0..7).map(|i| values(i, degree, p)).collect();
    let terms: Vec<(&[u32], f32)> = limbs.iter().map(|l| (&l[..], 1.0 / p as f32)).collect();
    let mut quotients = vec![9; degree];
    rounded_sum(&mut quotients, &terms);
    for (j, &got) in quotients.iter().enumerate() {
        let sum: f32 = limbs
            .iter()
            .fold(0.5, |sum, l| sum + l[j] as i32 as f32 * (1.0 / p as f32));
        assert_eq!(got, sum as u32, "in single precision at {j}");
        let exact: f64 = limbs.iter().map(|l| l[j] as f64 / p as f64).sum();
        assert!((got as f64 - exact).abs() < 0.5 + 1e-5, "{got} for {exact}");
    }
}
