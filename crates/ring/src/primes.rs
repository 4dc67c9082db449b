//! Primes `p = 1 mod 2N`, for which the negacyclic transform of size `N` exists.

use crate::Modulus;

/// Whether `n` is prime: Miller-Rabin with the bases 2, 3, 5, 7, exact below 3,215,031,751 (Jaeschke 1993).
pub fn is_prime(n: u32) -> bool {
    if n < 2 || n.is_multiple_of(2) {
        return n == 2;
    }
    let power = |base: u64, mut exponent: u32| {
        let (mut result, mut square) = (1u64, base);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result * square % n as u64;
            }
            square = square * square % n as u64;
            exponent >>= 1;
        }
        result
    };
    let twos = (n - 1).trailing_zeros();
    [2u32, 3, 5, 7]
        .into_iter()
        .filter(|base| !n.is_multiple_of(*base) || n == *base)
        .all(|base| {
            if n == base {
                return true;
            }
            let mut x = power(base as u64, (n - 1) >> twos);
            if x == 1 || x == n as u64 - 1 {
                return true;
            }
            (1..twos).any(|_| {
                x = x * x % n as u64;
                x == n as u64 - 1
            })
        })
        && [3u32, 5, 7]
            .into_iter()
            .all(|small| n == small || !n.is_multiple_of(small))
}

/// The primes `p = 1 mod 2 * degree` below `bound`, largest first.
pub fn ntt_primes_below(bound: u32, degree: usize) -> impl Iterator<Item = u32> {
    let step = 2 * degree as u32;
    let first = (bound - 2) / step * step + 1;
    (0..first / step)
        .map(move |i| first - i * step)
        .filter(|&p| is_prime(p))
}

/// A primitive `2 * degree`-th root of unity of a prime `p = 1 mod 2 * degree`.
pub(crate) fn primitive_root(modulus: Modulus, degree: usize) -> Option<u32> {
    let order = 2 * degree as u32;
    let p = modulus.value();
    if !(p - 1).is_multiple_of(order) {
        return None;
    }
    (2..p)
        .map(|x| modulus.pow(x, (p - 1) / order))
        .find(|&root| modulus.pow(root, order / 2) == p - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_trial_division() {
        for n in (0..20_000).chain(1_073_700_000..1_073_700_500) {
            let trial = n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0);
            assert_eq!(is_prime(n), trial, "{n}");
        }
    }

    #[test]
    fn lists_ntt_primes_from_the_top() {
        let primes: Vec<u32> = ntt_primes_below(1 << 30, 1 << 15).take(28).collect();
        assert_eq!(primes.len(), 28);
        assert!(
            primes
                .iter()
                .all(|p| p % (1 << 16) == 1 && *p > (1 << 30) - (1 << 25))
        );
        assert!(primes.windows(2).all(|w| w[0] > w[1]));
    }
}
