//! One prime modulus below 2^30 and the arithmetic on its residues.

/// A prime `p` with `2^16 < p < 2^30`, with the constants that its reductions need.
///
/// Products are reduced after Montgomery (1985) with radix `2^32`; residues themselves are kept in
/// plain form, so a reduced product is followed by one more product with `2^64 mod p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulus {
    value: u32,
    /// `p^-1 mod 2^32`.
    inverse: u32,
    /// `2^64 mod p`: multiplying by it in Montgomery form removes the two factors `2^-32`.
    radix_squared: u32,
}

/// A constant `c` in the form `c * 2^32 mod p`: a sum of products with such takes one reduction, where other sums take two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor(pub(crate) u32);

impl Factor {
    /// `c * 2^32 mod p` as a residue: what limbs are multiplied by to be factors themselves.
    pub const fn residue(self) -> u32 {
        self.0
    }
}

impl Modulus {
    /// The modulus `p`, an odd number in `(2^16, 2^30)`; primality is the caller's promise (see [`crate::primes`]).
    pub const fn new(value: u32) -> Option<Self> {
        if value.is_multiple_of(2) || value <= 1 << 16 || value >= 1 << 30 {
            return None;
        }
        let mut inverse = 1u32;
        let mut i = 0;
        while i < 5 {
            inverse = inverse.wrapping_mul(2u32.wrapping_sub(value.wrapping_mul(inverse)));
            i += 1;
        }
        let radix = (1u64 << 32) % value as u64;
        let radix_squared = (radix * radix % value as u64) as u32;
        Some(Self {
            value,
            inverse,
            radix_squared,
        })
    }

    /// The prime itself.
    #[inline(always)]
    pub const fn value(self) -> u32 {
        self.value
    }

    /// Number of bits of the largest residue.
    pub const fn bits(self) -> u32 {
        32 - (self.value - 1).leading_zeros()
    }

    /// `2^k`: signed numbers below it in absolute value are reduced ([`crate::Kernel::reduce_signed`]).
    pub const fn signed_bound(self) -> i64 {
        let bits = 34 + self.value.ilog2();
        1 << if bits < 62 { bits } else { 62 }
    }

    /// `p^-1 mod 2^32`, for vector forms of the reduction.
    #[cfg(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    ))]
    pub(crate) const fn montgomery_inverse(self) -> u32 {
        self.inverse
    }

    /// `2^64 mod p`, for vector forms of the reduction.
    #[cfg(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    ))]
    pub(crate) const fn radix_squared(self) -> u32 {
        self.radix_squared
    }

    /// The form of a residue as a constant factor.
    pub const fn factor(self, value: u32) -> Factor {
        Factor(self.montgomery_reduce_product(value as u64 * self.radix_squared as u64))
    }

    /// `a` times a constant.
    #[inline(always)]
    pub const fn scale(self, a: u32, factor: Factor) -> u32 {
        self.montgomery_reduce_product(a as u64 * factor.0 as u64)
    }

    /// `a + b`.
    #[inline(always)]
    pub const fn add(self, a: u32, b: u32) -> u32 {
        let sum = a.wrapping_add(b);
        min(sum, sum.wrapping_sub(self.value))
    }

    /// `a - b`.
    #[inline(always)]
    pub const fn sub(self, a: u32, b: u32) -> u32 {
        let difference = a.wrapping_sub(b);
        min(difference, difference.wrapping_add(self.value))
    }

    /// `-a`.
    #[inline(always)]
    pub const fn neg(self, a: u32) -> u32 {
        self.sub(0, a)
    }

    /// `a * b`.
    #[inline(always)]
    pub const fn mul(self, a: u32, b: u32) -> u32 {
        self.reduce_wide(a as u64 * b as u64)
    }

    /// `x mod p` for `x < 2^35 * p`: sixteen products of residues, or 32 products of a residue with any number below 2^30.
    #[inline(always)]
    pub const fn reduce_wide(self, x: u64) -> u32 {
        self.montgomery_reduce_product(self.montgomery_reduce(x) as u64 * self.radix_squared as u64)
    }

    /// `sum_i c_i a_i` from `x < 2^35 * p`, the sum of the products of residues `a_i` and [`Factor`]s of `c_i`.
    #[inline(always)]
    pub const fn reduce_factors(self, x: u64) -> u32 {
        self.montgomery_reduce(x)
    }

    /// `base^exponent`.
    pub const fn pow(self, base: u32, mut exponent: u32) -> u32 {
        let mut result = 1;
        let mut square = base;
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, square);
            }
            square = self.mul(square, square);
            exponent >>= 1;
        }
        result
    }

    /// `a^-1`, by Fermat; zero for zero.
    pub const fn inv(self, a: u32) -> u32 {
        self.pow(a, self.value - 2)
    }

    /// The residue of a signed integer; variable time, for public numbers.
    pub const fn from_i128(self, x: i128) -> u32 {
        x.rem_euclid(self.value as i128) as u32
    }

    /// The residue of a signed integer below 2^31 in absolute value, in constant time.
    #[inline(always)]
    pub const fn from_small(self, x: i32) -> u32 {
        let magnitude = self.reduce_wide(x.unsigned_abs() as u64);
        let mask = (x >> 31) as u32;
        (magnitude & !mask) | (self.neg(magnitude) & mask)
    }

    /// The representative of a residue in `(-p/2, p/2]`.
    #[inline(always)]
    pub const fn centered(self, a: u32) -> i32 {
        let over = ((self.value / 2).wrapping_sub(a) as i32) >> 31;
        a as i32 - (over & self.value as i32)
    }

    /// `x * 2^-32 mod p` for `x < 2^35 * p`. Every `min` picks the side of a subtraction that did not wrap.
    #[inline(always)]
    const fn montgomery_reduce(self, x: u64) -> u32 {
        let p = self.value;
        let high = (x >> 32) as u32;
        let high = min(high, high.wrapping_sub(p << 2));
        let high = min(high, high.wrapping_sub(p << 1));
        let value = high.wrapping_add(p).wrapping_sub(self.correction(x));
        let value = min(value, value.wrapping_sub(p << 1));
        min(value, value.wrapping_sub(p))
    }

    /// `x * 2^-32 mod p` for `x < 2^32 * p`.
    #[inline(always)]
    const fn montgomery_reduce_product(self, x: u64) -> u32 {
        let value = ((x >> 32) as u32)
            .wrapping_add(self.value)
            .wrapping_sub(self.correction(x));
        min(value, value.wrapping_sub(self.value))
    }

    /// The high half of the multiple of `p` that agrees with `x` modulo `2^32`: below `p`.
    #[inline(always)]
    const fn correction(self, x: u64) -> u32 {
        let quotient = (x as u32).wrapping_mul(self.inverse);
        ((quotient as u64 * self.value as u64) >> 32) as u32
    }
}

#[inline(always)]
const fn min(a: u32, b: u32) -> u32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_agree_with_division() {
        for value in [786433u32, (1 << 27) - 39, 1073479681, 1073741789] {
            let m = Modulus::new(value).unwrap();
            let p = value as u64;
            let limit = (p as u128) << 35;
            let mut x = 0x9e37_79b9_7f4a_7c15u64;
            for i in 0..20_000u64 {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(i | 1);
                let y = (x as u128 % limit) as u64;
                assert_eq!(m.reduce_wide(y) as u64, y % p, "{y} mod {p}");
                let (a, b) = ((y % p) as u32, (x >> 33) as u32 % value);
                assert_eq!(m.mul(a, b) as u64, a as u64 * b as u64 % p);
                assert_eq!(m.add(a, b) as u64, (a as u64 + b as u64) % p);
                assert_eq!(m.sub(a, b) as u64, (a as u64 + p - b as u64) % p);
                assert_eq!(m.scale(a, m.factor(b)), m.mul(a, b));
                let radix = m.factor(1).residue();
                assert_eq!(m.mul(m.reduce_factors(y), radix) as u64, y % p);
                assert_eq!(m.from_small(m.centered(a)), a);
                assert!((2 * m.centered(a).unsigned_abs() as u64) < p + 1);
            }
            let edge = ((limit - 1).min(u64::MAX as u128)) as u64;
            assert_eq!(m.reduce_wide(edge) as u64, edge % p);
            assert_eq!(m.mul(m.inv(3), 3), 1);
        }
    }

    #[test]
    fn only_odd_numbers_of_the_range_are_moduli() {
        assert!(Modulus::new(1 << 20).is_none());
        assert!(Modulus::new((1 << 30) + 1).is_none());
        assert!(Modulus::new(65537 - 2).is_none());
    }
}
