//! Operations on ciphertexts: exact ones to the last bit, rounding ones within their rounding, key switches within their noise.

use super::{Setting, difference, embedding::encode, largest};
use crate::reference::{Polynomial, add, automorphism, centered, modulo, multiply};
use ckks::*;
use num_bigint::BigInt;

fn reduced(parts: Vec<Polynomial>, modulus: &BigInt) -> Vec<Polynomial> {
    let reduce = |part: Polynomial| part.iter().map(|x| modulo(x, modulus)).collect();
    parts.into_iter().map(reduce).collect()
}

#[test]
fn sums_and_products_are_those_of_the_integers_modulo_q() {
    let setting = Setting::small();
    let keys = EvaluationKeySet::new(&setting.parameters);
    let evaluator = Evaluator::new(&setting.parameters, &keys);
    let (x, y) = (setting.fresh(0.1), setting.fresh(0.2));
    let (a, b) = (setting.parts(&x), setting.parts(&y));
    let check = |name: &str, fast: Ciphertext, want: Vec<Polynomial>| {
        let modulus = setting.reference.modulus(fast.level());
        assert!(setting.parts(&fast) == reduced(want, &modulus), "{name}");
    };
    let each = |f: &dyn Fn(&[BigInt], &[BigInt]) -> Polynomial| {
        a.iter().zip(&b).map(|(p, q)| f(p, q)).collect::<Vec<_>>()
    };
    let minus = |p: &[BigInt]| p.iter().map(|x| -x).collect::<Polynomial>();
    check("add", evaluator.add(&x, &y).unwrap(), each(&add));
    check(
        "sub",
        evaluator.sub(&x, &y).unwrap(),
        each(&|p, q| add(p, &minus(q))),
    );
    check("neg", evaluator.neg(&x), each(&|p, _| minus(p)));
    check("drop", evaluator.drop_to(&x, 3).unwrap(), a.clone());
    let mut imaginary = vec![BigInt::ZERO; setting.reference.degree];
    imaginary[setting.reference.degree / 2] = 1.into();
    check(
        "mul_i",
        evaluator.mul_i(&x),
        each(&|p, _| multiply(p, &imaginary)),
    );
    let cross = add(&multiply(&a[0], &b[1]), &multiply(&a[1], &b[0]));
    let product = vec![multiply(&a[0], &b[0]), cross, multiply(&a[1], &b[1])];
    check("mul", evaluator.mul(&x, &y).unwrap(), product);
    let (slots, scale) = (setting.slots(0.9), 2f64.powi(30));
    let fast = Plaintext::encode(&setting.parameters, &slots, scale).unwrap();
    let plain = encode(&slots, scale);
    check(
        "mul_plain",
        evaluator.mul_plain(&x, &fast).unwrap(),
        each(&|p, _| multiply(p, &plain)),
    );
    let sum = vec![add(&a[0], &plain), a[1].clone()];
    check("add_plain", evaluator.add_plain(&x, &fast).unwrap(), sum);
}

#[test]
fn a_rescale_is_the_quotient_rounded_to_nearest() {
    let setting = Setting::small();
    let keys = EvaluationKeySet::new(&setting.parameters);
    let evaluator = Evaluator::new(&setting.parameters, &keys);
    let mut x = setting.fresh(0.4);
    while x.level() > 0 {
        let next = evaluator.rescale(&x).unwrap();
        let (modulus, prime) = (
            setting.reference.modulus(x.level()),
            BigInt::from(setting.reference.chain[x.level()]),
        );
        for (before, after) in setting.parts(&x).iter().zip(setting.parts(&next)) {
            for (c, quotient) in before.iter().zip(after) {
                let rest = centered(&(&quotient * &prime - c), &modulus);
                // The quotient is estimated in single precision: near a tie either neighbour is taken.
                let half: BigInt = &prime / 2 + (&prime >> 20);
                assert!(
                    rest <= half && rest >= -half,
                    "at level {}: {rest}",
                    x.level()
                );
            }
        }
        x = next;
    }
}

#[test]
fn a_key_switch_changes_the_message_by_its_noise_alone() {
    let setting = Setting::small();
    let (parameters, degree) = (&setting.parameters, setting.reference.degree);
    let generator = KeyGenerator::new(parameters, &setting.secret);
    let mut keys = EvaluationKeySet::new(parameters);
    let (rotation, conjugation) = (galois_element_of_rotation(3, degree), 2 * degree as u32 - 1);
    assert_eq!(rotation, 125, "5^3 modulo 2N = 128");
    for kind in [
        KeyKind::Relinearization,
        KeyKind::Galois(rotation),
        KeyKind::Galois(conjugation),
    ] {
        let spec = KeySpec {
            kind,
            level: parameters.max_level(),
        };
        keys.insert(&generator.generate(&spec).unwrap());
    }
    let evaluator = Evaluator::new(parameters, &keys);
    for level in [parameters.max_level(), 7, 6, 2] {
        let x = evaluator.drop_to(&setting.fresh(0.6), level).unwrap();
        let (opened, modulus) = (setting.open(&x), setting.reference.modulus(level));
        let check = |name: &str, fast: Ciphertext, want: Polynomial| {
            let want: Polynomial = want.iter().map(|x| centered(x, &modulus)).collect();
            let noise = difference(&setting.open(&fast), &want);
            // No coefficient exceeds the largest slot.
            let bound = BigInt::from(parameters.key_switch_noise(level) as u64);
            assert!(
                noise <= bound,
                "{name} at level {level}: {noise}, bound {bound}"
            );
            assert!(
                noise > BigInt::ZERO && largest(want) > bound << 8,
                "{name}: this tests nothing"
            );
        };
        let image = automorphism(&opened, rotation as usize);
        check("rotate", evaluator.rotate(&x, 3).unwrap(), image.clone());
        let hoisted = evaluator.hoist(&x).unwrap();
        check(
            "hoisted",
            evaluator.rotate_hoisted(&hoisted, 3).unwrap(),
            image,
        );
        let image = automorphism(&opened, conjugation as usize);
        check("conjugate", evaluator.conjugate(&x).unwrap(), image);
        let square = evaluator.mul(&x, &x).unwrap();
        assert!(
            setting.open(&square)
                == multiply(&opened, &opened)
                    .iter()
                    .map(|x| centered(x, &modulus))
                    .collect::<Polynomial>()
        );
        check(
            "relinearize",
            evaluator.relinearize(&square).unwrap(),
            setting.open(&square),
        );
    }
}
