//! The canonical embedding by direct sums: slot `j` is the value at `exp(i pi 5^j / N)`.

use ckks::Complex64;
use num_bigint::BigInt;
use std::f64::consts::PI;

fn angle(slot: usize, degree: usize) -> f64 {
    let power = (0..slot).fold(1, |power, _| power * 5 % (2 * degree));
    PI * power as f64 / degree as f64
}

/// The angles of all slots.
pub fn angles(degree: usize) -> Vec<f64> {
    let mut power = 1;
    (0..degree / 2)
        .map(|_| {
            let angle = PI * power as f64 / degree as f64;
            power = power * 5 % (2 * degree);
            angle
        })
        .collect()
}

/// The slot of a polynomial, divided by the scale.
pub fn slot(coefficients: &[BigInt], slot: usize, scale: f64) -> Complex64 {
    let angle = angle(slot, coefficients.len());
    let value = |x: &BigInt| -> f64 { x.to_string().parse().unwrap() };
    coefficients
        .iter()
        .enumerate()
        .map(|(k, c)| Complex64::cis(angle * k as f64) * value(c))
        .sum::<Complex64>()
        / scale
}

/// The coefficient of `X^k` of the polynomial that has these slots, times the scale: `2/N sum_j Re(z_j conj(zeta_j)^k)`.
pub fn coefficient(slots: &[Complex64], angles: &[f64], k: usize, scale: f64) -> f64 {
    let sum: f64 = slots
        .iter()
        .zip(angles)
        .map(|(z, angle)| (z * Complex64::cis(-angle * k as f64)).re)
        .sum();
    sum * scale / slots.len() as f64
}

/// All coefficients, rounded.
pub fn encode(slots: &[Complex64], scale: f64) -> Vec<BigInt> {
    let (degree, angles) = (2 * slots.len(), angles(2 * slots.len()));
    (0..degree)
        .map(|k| BigInt::from(coefficient(slots, &angles, k, scale).round() as i64))
        .collect()
}
