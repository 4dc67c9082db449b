//! Evaluation keys from their bytes: `b_d + a_d s = e_d + P G_d s'`, with `G_d` one on the primes of digit `d` and zero on all others.

use super::{Setting, largest};
use crate::reference::{add, automorphism, centered, combine, multiply, product_of};
use ckks::{KeyGenerator, KeyKind, KeySpec};
use num_bigint::BigInt;

#[test]
fn every_digit_of_a_key_hides_the_gadget_times_the_old_secret() {
    let setting = Setting::small();
    let reference = &setting.reference;
    let generator = KeyGenerator::new(&setting.parameters, &setting.secret);
    let square = multiply(&reference.secret, &reference.secret);
    let image = automorphism(&reference.secret, 25);
    for (kind, from) in [
        (KeyKind::Relinearization, square),
        (KeyKind::Galois(25), image),
    ] {
        for level in [8, 7, 3] {
            let bytes = generator
                .generate(&KeySpec { kind, level })
                .unwrap()
                .to_bytes(&setting.parameters);
            let (seed, mut bodies) = bytes.split_first_chunk().unwrap();
            let primes = [&reference.chain[..=level], &reference.special[..]].concat();
            let (modulus, special) = (product_of(&primes), product_of(&reference.special));
            for (digit, first) in (0..=level).step_by(7).enumerate() {
                let inside = |i: &usize| (first..(first + 7).min(level + 1)).contains(i);
                let unit: Vec<u32> = (0..primes.len()).map(|i| u32::from(inside(&i))).collect();
                let gadget = combine(&unit, &primes, &modulus) * &special;
                let body = reference.read(&primes, &mut bodies);
                let mask = reference.mask(seed, digit as u32, &primes);
                let sum = add(&body, &multiply(&mask, &reference.secret));
                let error: Vec<BigInt> = sum
                    .iter()
                    .zip(&from)
                    .map(|(x, s)| centered(&(x - &gadget * s), &modulus))
                    .collect();
                assert!(
                    largest(error.clone()) <= BigInt::from(21),
                    "{kind:?}, level {level}, digit {digit}"
                );
                let squares: BigInt = error.iter().map(|e| e * e).sum();
                assert!(
                    squares > BigInt::from(300),
                    "{kind:?}, level {level}, digit {digit}: no error"
                );
            }
            assert!(bodies.is_empty());
        }
    }
}
