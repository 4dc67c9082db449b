//! Roots of unity, the same to the last bit on every machine: sums, products, quotients and square roots of doubles are exact by IEEE 754,
//! while sines and cosines differ between mathematical libraries, and with them the coefficients that a client encrypts.

use crate::Complex64;
use std::ops::{Add, Mul, Sub};

/// All `order`-th roots of unity (`order` a power of two, four or more), `exp(2 pi i k / order)` at index `k`, rounded from twice the
/// precision of a double.
pub(crate) fn roots_of_unity(order: usize) -> Vec<Complex64> {
    let mut roots = vec![Root::ONE];
    let mut generator = Root::I;
    // exp(2 pi i / 4), exp(2 pi i / 8), ...: each doubles the number of roots, in between those already there.
    let mut known = 4;
    let mut halves = vec![generator];
    while known < order {
        generator = generator.halved();
        halves.push(generator);
        known *= 2;
    }
    // A quarter suffices: the others are it times i, -1, -i.
    for &step in halves[1..].iter().rev() {
        for k in 0..roots.len() {
            roots.push(roots[k].times(step));
        }
    }
    let quarter: Vec<Complex64> = roots.iter().map(Root::rounded).collect();
    let turned = |turn: fn(&Complex64) -> Complex64| quarter.iter().map(turn);
    turned(|z| *z)
        .chain(turned(|z| Complex64::new(-z.im, z.re)))
        .chain(turned(|z| -z))
        .chain(turned(|z| Complex64::new(z.im, -z.re)))
        .collect()
}

/// A point of the unit circle.
#[derive(Clone, Copy)]
struct Root {
    cos: Double,
    sin: Double,
}

impl Root {
    const ONE: Self = Self {
        cos: Double(1.0, 0.0),
        sin: Double(0.0, 0.0),
    };
    const I: Self = Self {
        cos: Double(0.0, 0.0),
        sin: Double(1.0, 0.0),
    };

    /// Half the angle, for angles up to a quarter turn: `cos(x/2)^2 = (1 + cos x)/2`, `sin(x/2) = sin x / (2 cos(x/2))`.
    fn halved(self) -> Self {
        let cos = (Double(0.5, 0.0) + self.cos.scaled(0.5)).sqrt();
        let sin = self.sin.scaled(0.5).over(cos);
        Self { cos, sin }
    }

    fn times(self, other: Self) -> Self {
        Self {
            cos: self.cos * other.cos - self.sin * other.sin,
            sin: self.sin * other.cos + self.cos * other.sin,
        }
    }

    fn rounded(&self) -> Complex64 {
        Complex64::new(self.cos.0, self.sin.0)
    }
}

/// An unevaluated sum of two doubles, the second below half a unit in the last place of the first (Dekker, *A floating-point technique for
/// extending the available precision*, 1971).
#[derive(Clone, Copy)]
struct Double(f64, f64);

impl Double {
    fn exact_sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let b_part = sum - a;
        Self(sum, (a - (sum - b_part)) + (b - b_part))
    }

    fn exact_product(a: f64, b: f64) -> Self {
        let split = |x: f64| {
            let high = 134_217_729.0 * x;
            let high = high - (high - x);
            (high, x - high)
        };
        let (product, (a, a_low), (b, b_low)) = (a * b, split(a), split(b));
        Self(
            product,
            ((a * b - product) + a * b_low + a_low * b) + a_low * b_low,
        )
    }

    fn scaled(self, power_of_two: f64) -> Self {
        Self(self.0 * power_of_two, self.1 * power_of_two)
    }

    fn over(self, other: Self) -> Self {
        let first = self.0 / other.0;
        let rest = self - other * Self(first, 0.0);
        Self::exact_sum(first, rest.0 / other.0)
    }

    /// One step of Newton's iteration from the root of the first part.
    fn sqrt(self) -> Self {
        let root = self.0.sqrt();
        let rest = self - Self::exact_product(root, root);
        Self::exact_sum(root, rest.0 / (2.0 * root))
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = Self::exact_sum(self.0, other.0);
        let low = Self::exact_sum(self.1, other.1);
        let sum = Self::exact_sum(sum.0, sum.1 + low.0);
        Self::exact_sum(sum.0, sum.1 + low.1)
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self(-other.0, -other.1)
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = Self::exact_product(self.0, other.0);
        let low = self.0 * other.1 + self.1 * other.0;
        Self::exact_sum(product.0, product.1 + low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn agrees_with_the_library() {
        for order in [4, 8, 64, 1 << 16, 1 << 17] {
            let roots = roots_of_unity(order);
            assert_eq!(roots.len(), order);
            for (k, root) in roots.iter().enumerate() {
                let library = Complex64::cis(TAU * (k as f64 / order as f64));
                // The rounding of an argument up to 2 pi alone is 7e-16.
                assert!((root - library).norm() < 1e-15, "{k} of {order}");
            }
        }
    }

    #[test]
    fn points_lie_on_the_circle_to_twice_the_precision() {
        let mut root = Root::I;
        for _ in 0..15 {
            root = root.halved();
            let norm = root.cos * root.cos + root.sin * root.sin - Double(1.0, 0.0);
            assert!(norm.0.abs() < 1e-30, "{}", norm.0);
        }
        let doubled = (0..15).fold(root, |root, _| root.times(root));
        assert!(doubled.cos.0.abs() < 1e-26 && (doubled.sin.0 - 1.0).abs() < 1e-26);
    }
}
