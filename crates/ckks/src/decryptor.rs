//! Decryption. What it returns must never leave the client: CKKS is not IND-CPA-D secure (Li, Micciancio, ePrint 2020/1533).

use crate::{Ciphertext, Complex64, Parameters, SecretKey};
use ring::{Basis, Modulus, Poly, Ring};
use zeroize::Zeroize;

/// Decrypts under a secret key.
pub struct Decryptor<'k> {
    parameters: Parameters,
    key: &'k SecretKey,
}

/// Limbs that decoding looks at: 120 bits hold every scale and message that fit a double.
const DECODED_LIMBS: usize = 4;

impl<'k> Decryptor<'k> {
    /// A decryptor under `key`.
    pub fn new(parameters: &Parameters, key: &'k SecretKey) -> Self {
        Self {
            parameters: parameters.clone(),
            key,
        }
    }

    /// All `N/2` slots.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Vec<Complex64> {
        let ring = self.parameters.ring();
        let basis = Basis::of_chain(DECODED_LIMBS.min(ciphertext.level() + 1));
        let mut message = ring.zero(basis);
        ring.each(&mut message, |kernel, i, limb| {
            // Horner in the secret: c_0 + s (c_1 + s c_2).
            let secret = self.key.evaluations(i, basis);
            for (position, part) in ciphertext.parts.iter().enumerate().rev() {
                kernel.add_assign(limb, part.limb(i));
                if position > 0 {
                    let mut partial = limb.to_vec();
                    kernel.dot(limb, &[&partial], &[secret]);
                    partial.zeroize();
                }
            }
            kernel.inverse(limb);
        });
        let mut coefficients = centered(ring, &message, ciphertext.scale);
        message.data_mut().zeroize();
        let slots = self.parameters.encoder().slots(&coefficients);
        coefficients.zeroize();
        slots
    }
}

/// The representatives in `(-Q/2, Q/2)`, divided by the scale: Garner's mixed radix digits, the last one centred, then Horner's
/// rule, in which every step is exact while the value fits a double.
fn centered(ring: &Ring, poly: &Poly, scale: f64) -> Vec<f64> {
    let moduli: Vec<Modulus> = ring.moduli(poly.basis()).collect();
    let inverse = |i: usize, j: usize| moduli[i].inv(moduli[j].value() % moduli[i].value());
    let inverses: Vec<Vec<u32>> = (0..moduli.len())
        .map(|i| (0..i).map(|j| inverse(i, j)).collect())
        .collect();
    (0..poly.degree())
        .map(|k| {
            let mut digits = [0u32; DECODED_LIMBS];
            for (i, &modulus) in moduli.iter().enumerate() {
                digits[i] = (0..i).fold(poly.limb(i)[k], |rest, j| {
                    let digit = modulus.reduce_wide(digits[j] as u64);
                    modulus.mul(modulus.sub(rest, digit), inverses[i][j])
                });
            }
            let last = moduli.len() - 1;
            let top = moduli[last].centered(digits[last]) as f64;
            (0..last).rev().fold(top, |value, i| {
                value * moduli[i].value() as f64 + digits[i] as f64
            }) / scale
        })
        .collect()
}
