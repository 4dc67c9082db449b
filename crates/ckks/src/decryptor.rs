//! Decryption. What it returns must never leave the client: CKKS is not IND-CPA-D secure (Li, Micciancio, ePrint 2020/1533).

use crate::{Ciphertext, Complex64, Parameters, SecretKey};
use ring::Basis;

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
                    let partial = limb.to_vec();
                    kernel.dot(limb, &[&partial], &[secret]);
                }
            }
            kernel.inverse(limb);
        });
        // Garner's mixed radix, then centred: x = d_0 + q_0 (d_1 + q_1 (d_2 + ...)).
        let moduli: Vec<_> = ring.moduli(basis).collect();
        let product: i128 = moduli.iter().map(|m| m.value() as i128).product();
        let coefficients: Vec<f64> = (0..self.parameters.degree())
            .map(|j| {
                let (mut value, mut radix) = (0i128, 1i128);
                for (i, &modulus) in moduli.iter().enumerate() {
                    let p = modulus.value() as i128;
                    let inverse = modulus.inv((radix % p) as u32);
                    let digit =
                        modulus.mul(modulus.sub(message.limb(i)[j], (value % p) as u32), inverse);
                    value += radix * digit as i128;
                    radix *= p;
                }
                (value - if 2 * value > product { product } else { 0 }) as f64 / ciphertext.scale
            })
            .collect();
        self.parameters.encoder().slots(&coefficients)
    }
}
