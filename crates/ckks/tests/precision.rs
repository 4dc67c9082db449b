//! Every operation against its meaning on slots, with its precision in bits.

mod common;
use ckks::*;
use common::{Context, ROTATIONS, message, rotated};

#[test]
fn every_operation_keeps_its_precision() {
    check(&Context::small(), 20.5, 17.5);
}

#[test]
#[ignore = "minutes: run by `just test-long`"]
fn every_operation_keeps_its_precision_at_the_released_parameters() {
    let [finer, coarser, larger, bootstrapped] = Parameters::released().unwrap();
    check(&Context::new(finer), 18.0, 12.5);
    check(&Context::new(coarser), 16.0, 10.5);
    check(&Context::new(larger), 17.5, 11.5);
    check(&Context::new(bootstrapped), 17.5, 11.5);
}

/// The bits asked are those that the noise bounds leave at the scale, 2^30 or 2^28, less half a bit for the size of the message.
///
/// `fresh`: bits of a fresh ciphertext; `switched`: bits after a key switch or a rescale.
fn check(context: &Context, fresh: f64, switched: f64) {
    let (parameters, evaluator) = (&context.parameters, context.evaluator());
    let (a, b) = (context.message(0.1), context.message(1.3));
    let (x, y) = (context.encrypt(&a), context.encrypt(&b));
    let map = |f: &dyn Fn(Complex64, Complex64) -> Complex64| {
        a.iter().zip(&b).map(|(&p, &q)| f(p, q)).collect::<Vec<_>>()
    };

    context.assert_bits("fresh", &x, &a, fresh);
    context.assert_bits(
        "add",
        &evaluator.add(&x, &y).unwrap(),
        &map(&|p, q| p + q),
        fresh - 1.0,
    );
    context.assert_bits(
        "sub",
        &evaluator.sub(&x, &y).unwrap(),
        &map(&|p, q| p - q),
        fresh - 1.0,
    );
    context.assert_bits("neg", &evaluator.neg(&x), &map(&|p, _| -p), fresh);
    context.assert_bits(
        "mul_i",
        &evaluator.mul_i(&x),
        &map(&|p, _| p * Complex64::I),
        fresh,
    );
    context.assert_bits("drop", &evaluator.drop_to(&x, 1).unwrap(), &a, fresh);

    let plain = Plaintext::encode(parameters, &b, parameters.scale()).unwrap();
    context.assert_bits(
        "add_plain",
        &evaluator.add_plain(&x, &plain).unwrap(),
        &map(&|p, q| p + q),
        fresh - 0.5,
    );
    let exact = Plaintext::encode(parameters, &b, parameters.prime(x.level())).unwrap();
    let product = evaluator
        .rescale(&evaluator.mul_plain(&x, &exact).unwrap())
        .unwrap();
    assert_eq!(
        (product.level(), product.scale()),
        (x.level() - 1, x.scale())
    );
    context.assert_bits(
        "mul_plain, rescale",
        &product,
        &map(&|p, q| p * q),
        switched,
    );
    let sum = evaluator.dot_plain(&[&x, &y], &[&exact, &exact]).unwrap();
    context.assert_bits(
        "dot_plain, rescale",
        &evaluator.rescale(&sum).unwrap(),
        &map(&|p, q| (p + q) * q),
        switched - 1.0,
    );

    let product = evaluator.mul(&x, &y).unwrap();
    assert_eq!(product.parts(), 3);
    context.assert_bits("mul, three parts", &product, &map(&|p, q| p * q), switched);
    let product = evaluator
        .rescale(&evaluator.relinearize(&product).unwrap())
        .unwrap();
    context.assert_bits(
        "mul, relinearize, rescale",
        &product,
        &map(&|p, q| p * q),
        switched - 1.0,
    );
    let sum = evaluator.dot(&[&x, &y], &[&y, &x]).unwrap();
    assert_eq!(
        evaluator.rescale(&sum).unwrap_err(),
        EvaluatorError::Degree {
            expected: 2,
            found: 3
        }
    );
    let sum = evaluator
        .rescale(&evaluator.relinearize(&sum).unwrap())
        .unwrap();
    context.assert_bits(
        "dot, relinearize, rescale",
        &sum,
        &map(&|p, q| p * q * 2.0),
        switched - 2.0,
    );

    let hoisted = evaluator.hoist(&x).unwrap();
    for steps in ROTATIONS {
        context.assert_bits(
            "rotate",
            &evaluator.rotate(&x, steps).unwrap(),
            &rotated(&a, steps),
            switched,
        );
        context.assert_bits(
            "hoisted",
            &evaluator.rotate_hoisted(&hoisted, steps).unwrap(),
            &rotated(&a, steps),
            switched,
        );
    }
    context.assert_bits(
        "conjugate",
        &evaluator.conjugate(&x).unwrap(),
        &map(&|p, _| p.conj()),
        switched,
    );
    for level in 0..x.level() {
        let low = evaluator.drop_to(&x, level.max(1)).unwrap();
        context.assert_bits(
            "rotate at every level",
            &evaluator.rotate(&low, 1).unwrap(),
            &rotated(&a, 1),
            switched,
        );
    }
}

#[test]
fn real_slots_stay_real() {
    let context = Context::small();
    let real: Vec<Complex64> = context
        .message(0.4)
        .iter()
        .map(|z| Complex64::from(z.re))
        .collect();
    let x = context.encrypt(&real);
    assert!(context.decrypt(&x).iter().all(|z| z.im.abs() < 1e-5));
}

/// Sends `slots` in a subring and takes the trace with the Galois key of `element`.
fn trace(
    subring: Subring,
    slots: &[Complex64],
    element: u32,
    turned: impl Fn(&Evaluator<'_>, &Ciphertext) -> Result<Ciphertext, EvaluatorError>,
) -> (Context, Ciphertext) {
    let context = Context::small();
    let parameters = &context.parameters;
    let spec = CiphertextSpec {
        subring,
        ..context.spec()
    };
    let sent = Encryptor::new(parameters, &context.secret)
        .encrypt(slots, &spec)
        .unwrap()
        .to_bytes(parameters);
    let full = SeededCiphertext::wire_bytes(parameters, &context.spec()).unwrap();
    assert!(sent.len() < full / 2 + 64);
    let x = SeededCiphertext::from_bytes(parameters, &spec, &sent)
        .unwrap()
        .expand(parameters);
    let key = KeySpec {
        kind: KeyKind::Galois(element),
        level: x.level(),
    };
    let mut keys = EvaluationKeySet::new(parameters);
    keys.insert(
        &KeyGenerator::new(parameters, &context.secret)
            .generate(&key)
            .unwrap(),
    );
    let evaluator = Evaluator::new(parameters, &keys);
    let y = evaluator.add(&x, &turned(&evaluator, &x).unwrap()).unwrap();
    (context, y)
}

#[test]
fn half_a_ciphertext_carries_half_of_the_slots() {
    let parameters = Context::small().parameters;
    let steps = parameters.slots() as i64 / 2;
    let slots = message(parameters.slots() / 2, 0.9);
    let element = galois_element_of_rotation(steps, parameters.degree());
    let (context, y) = trace(Subring::Even, &slots, element, |e, x| e.rotate(x, steps));
    let want: Vec<Complex64> = slots.iter().chain(&slots).map(|z| z * 2.0).collect();
    context.assert_bits("trace", &y, &want, 16.5);
}

#[test]
fn half_a_ciphertext_carries_real_slots() {
    let parameters = Context::small().parameters;
    let slots: Vec<Complex64> = message(parameters.slots(), 0.9)
        .iter()
        .map(|z| Complex64::from(z.re))
        .collect();
    let element = 2 * parameters.degree() as u32 - 1;
    let (context, y) = trace(Subring::Real, &slots, element, |e, x| e.conjugate(x));
    let want: Vec<Complex64> = slots.iter().map(|z| z * 2.0).collect();
    context.assert_bits("trace", &y, &want, 16.5);
}

#[test]
fn complex_slots_are_no_real_message() {
    let context = Context::small();
    let spec = CiphertextSpec {
        subring: Subring::Real,
        ..context.spec()
    };
    let refused =
        Encryptor::new(&context.parameters, &context.secret).encrypt(&context.message(0.9), &spec);
    assert!(refused.is_err());
}

#[test]
fn another_key_decrypts_to_noise() {
    let context = Context::small();
    let a = context.message(0.2);
    let x = context.encrypt(&a);
    let other = SecretKey::new(&context.parameters, &Seed::from_bytes([4; 32]));
    let noise = Decryptor::new(&context.parameters, &other).decrypt(&x);
    assert!(
        noise.iter().all(|z| z.norm() > 2.0),
        "a slot of a wrong decryption is of the size of a message"
    );
    let again = context.encrypt(&a);
    assert_ne!(
        x.to_bytes(&context.parameters),
        again.to_bytes(&context.parameters),
        "encryption is randomised"
    );
}
