//! The released rings, at a few coefficients: each is a sum of 32,768 products of 630-bit integers or more.

use super::Setting;
use crate::embedding::{angles, coefficient};
use crate::reference::{add, centered, coefficient_of_product, modulo};
use ckks::{EvaluationKeySet, Evaluator, Parameters};
use num_bigint::BigInt;

const PLACES: [usize; 5] = [0, 1, 12_345, 16_384, 32_767];

#[test]
fn coefficients_of_a_fresh_ciphertext_and_of_a_product() {
    for parameters in Parameters::released().unwrap() {
        check(parameters);
    }
}

fn check(parameters: Parameters) {
    let setting = Setting::new(parameters);
    let level = setting.parameters.max_level();
    let (reference, modulus) = (&setting.reference, setting.reference.modulus(level));
    let slots = setting.slots(0.01);
    let x = setting.encrypt(&slots).expand(&setting.parameters);
    let parts = setting.parts(&x);
    let angles = angles(reference.degree);
    for k in PLACES {
        let opened = &parts[0][k] + coefficient_of_product(&parts[1], &reference.secret, k);
        let want = coefficient(&slots, &angles, k, setting.parameters.scale()).round() as i64;
        let error = centered(&opened, &modulus) - want;
        assert!(
            error.magnitude() <= &22u32.into(),
            "coefficient {k}: {error}"
        );
    }
    let keys = EvaluationKeySet::new(&setting.parameters);
    let evaluator = Evaluator::new(&setting.parameters, &keys);
    let square = setting.parts(&evaluator.mul(&x, &x).unwrap());
    for k in PLACES {
        let product = |i: usize, j: usize| coefficient_of_product(&parts[i], &parts[j], k);
        let want: [BigInt; 3] = [product(0, 0), product(0, 1) * 2, product(1, 1)];
        let want = want.map(|x| modulo(&x, &modulus));
        for (part, want) in square.iter().zip(want) {
            assert_eq!(part[k], want, "coefficient {k} of a square");
        }
    }
    assert!(add(&parts[0], &parts[1]) != square[0]);
}
