//! The sparse secret of bootstrapping: where it may be used, and what raising the modulus by way of it does to a message.

mod common;

use ckks::*;
use common::{Context, message};

fn parameters() -> Parameters {
    Parameters::insecure_bootstrapping(9).unwrap()
}

fn spec(kind: KeyKind, level: usize) -> KeySpec {
    KeySpec { kind, level }
}

/// Lattigo 5.0 to 6.1.0 made this key at a higher level, which left 106 bits of security.
#[test]
fn the_key_under_the_sparse_secret_exists_at_the_base_level_alone() {
    for parameters in [parameters(), Parameters::n16_bootstrapping().unwrap()] {
        let top = parameters.max_level();
        assert!(spec(KeyKind::ToEphemeral, 1).check(&parameters).is_ok());
        assert!(spec(KeyKind::FromEphemeral, top).check(&parameters).is_ok());
        for level in (0..=top).filter(|&level| level != 1) {
            assert!(
                spec(KeyKind::ToEphemeral, level)
                    .check(&parameters)
                    .is_err()
            );
        }
        // Two primes of the chain, two special primes: what is on the wire cannot hold more.
        let expected = 32 + 4 * parameters.degree() * 30 / 8;
        assert_eq!(
            spec(KeyKind::ToEphemeral, 1).wire_bytes(&parameters),
            expected
        );
        let bits = parameters
            .encapsulation()
            .unwrap()
            .log_qp(parameters.literal());
        assert!(
            bits > 119.0 && bits <= ephemeral_bound(16, 32).unwrap().into(),
            "{bits}"
        );
    }
    let parameters = parameters();
    let secret = SecretKey::new(&parameters, &Seed::from_bytes([3; 32]));
    let generator = KeyGenerator::new(&parameters, &secret);
    assert!(generator.generate(&spec(KeyKind::ToEphemeral, 2)).is_err());
    let without = Parameters::insecure(9, 9).unwrap();
    assert!(spec(KeyKind::ToEphemeral, 1).check(&without).is_err());
    assert!(spec(KeyKind::FromEphemeral, 8).check(&without).is_err());
}

#[test]
fn prepared_keys_take_the_memory_that_their_specifications_say() {
    let parameters = parameters();
    let top = parameters.max_level();
    let secret = SecretKey::new(&parameters, &Seed::from_bytes([3; 32]));
    let generator = KeyGenerator::new(&parameters, &secret);
    let mut keys = EvaluationKeySet::new(&parameters);
    let mut expected = 0;
    for spec in [
        spec(KeyKind::ToEphemeral, 1),
        spec(KeyKind::FromEphemeral, top),
        spec(KeyKind::Relinearization, top / 2),
        spec(KeyKind::Galois(5), 0),
    ] {
        keys.insert(&generator.generate(&spec).unwrap());
        expected += spec.prepared_bytes(&parameters);
        assert_eq!(keys.heap_bytes(), expected, "{spec:?}");
    }
    assert_eq!(spec(KeyKind::ToEphemeral, 2).prepared_bytes(&parameters), 0);
}

#[test]
fn a_larger_modulus_under_the_sparse_secret_is_refused_with_bound_and_value() {
    let set = Parameters::n16_bootstrapping().unwrap();
    assert_eq!(set.security_bits(), 128);
    assert!(set.log_qp() <= security_bound(16).unwrap().into());
    let with = |change: fn(&mut Encapsulation)| {
        let mut literal = set.literal().clone();
        change(literal.encapsulation.as_mut().unwrap());
        Parameters::from_literal(literal)
    };
    for change in [
        |e: &mut Encapsulation| e.base = 3,
        |e: &mut Encapsulation| e.special = 3,
    ] {
        let Err(error) = with(change) else {
            panic!("accepted")
        };
        assert!(
            matches!(error, ParametersError::Insecure { bound: 121, log_qp, .. } if log_qp > 149.0),
            "{error}"
        );
        assert!(error.to_string().contains("2022/024"), "{error}");
    }
    assert!(matches!(
        with(|e| e.weight = 31),
        Err(ParametersError::NoBound(16))
    ));
    for change in [
        |e: &mut Encapsulation| e.base = 13,
        |e: &mut Encapsulation| e.special = 0,
    ] {
        assert!(matches!(with(change), Err(ParametersError::Shape(_))));
    }
}

fn context() -> Context {
    let mut context = Context::new(parameters());
    let generator = KeyGenerator::new(&context.parameters, &context.secret);
    let top = context.parameters.max_level();
    for spec in [
        spec(KeyKind::ToEphemeral, 1),
        spec(KeyKind::FromEphemeral, top),
    ] {
        let bytes = generator
            .generate(&spec)
            .unwrap()
            .to_bytes(&context.parameters);
        let key = SeededKey::from_bytes(&context.parameters, &spec, &bytes).unwrap();
        context.keys.insert(&key);
    }
    context
}

#[test]
fn raising_adds_small_multiples_of_the_base_modulus() {
    let context = context();
    let (parameters, evaluator) = (&context.parameters, context.evaluator());
    let slots = message(parameters.slots(), 0.3);
    let shape = CiphertextSpec {
        level: 1,
        log_scale: 40.0,
        subring: Subring::Full,
    };
    let fresh = Encryptor::new(parameters, &context.secret)
        .encrypt(&slots, &shape)
        .unwrap()
        .expand(parameters);
    let raised = evaluator.raise(&evaluator.encapsulate(&fresh).unwrap());
    let raised = evaluator.decapsulate(&raised).unwrap();
    assert_eq!(
        (raised.level(), raised.scale()),
        (parameters.max_level(), 40f64.exp2())
    );

    let base = parameters.prime(0) * parameters.prime(1) / 40f64.exp2();
    let encoder = parameters.encoder();
    let want = encoder.coefficients(&slots);
    let got = encoder.coefficients(&context.decrypt(&raised));
    let (mut worst, mut largest, mut nonzero) = (0f64, 0f64, 0);
    for (got, want) in got.iter().zip(&want) {
        let times = ((got - want) / base).round();
        worst = worst.max((got - want - times * base).abs());
        largest = largest.max(times.abs());
        nonzero += usize::from(times != 0.0);
    }
    assert!(
        largest <= 16.0 && nonzero > parameters.degree() / 2,
        "{largest}, {nonzero}"
    );
    assert!(worst < 2f64.powi(-28), "2^{:.1}", worst.log2());
}

#[test]
fn nothing_passes_to_the_sparse_secret_elsewhere_or_without_keys() {
    let context = context();
    let evaluator = context.evaluator();
    let x = evaluator
        .drop_to(&context.encrypt(&context.message(0.1)), 2)
        .unwrap();
    assert_eq!(
        evaluator.encapsulate(&x).err(),
        Some(EvaluatorError::NotAtBase { level: 2 })
    );
    let x = evaluator.drop_to(&x, 1).unwrap();
    let none = EvaluationKeySet::new(&context.parameters);
    let keyless = Evaluator::new(&context.parameters, &none);
    assert_eq!(
        keyless.encapsulate(&x).err(),
        Some(EvaluatorError::MissingKey(spec(KeyKind::ToEphemeral, 1)))
    );
}

#[test]
fn two_primes_are_one_rounding() {
    let context = context();
    let evaluator = context.evaluator();
    let slots = context.message(0.7);
    let x = context.encrypt(&slots);
    let large = evaluator
        .combine(&[(1.0, &x)], 0.0, x.scale() * 60f64.exp2())
        .unwrap();
    let top = context.parameters.max_level();
    for (primes, bits) in [(1, 19f64), (2, 19.0), (3, 10.0)] {
        let less = evaluator.rescale_by(&large, primes).unwrap();
        assert_eq!(less.level(), top - primes);
        context.assert_bits(
            "rescaled",
            &less,
            &slots,
            bits.min(less.scale().log2() - 11.0),
        );
    }
    let bottom = evaluator.drop_to(&x, 1).unwrap();
    assert_eq!(
        evaluator.rescale_by(&bottom, 2).unwrap_err(),
        EvaluatorError::LevelExhausted {
            level: 1,
            needed: 2
        }
    );
}

#[test]
fn combinations_take_terms_of_any_scale() {
    let context = context();
    let evaluator = context.evaluator();
    let (a, b) = (context.message(0.2), context.message(1.2));
    let (x, y) = (context.encrypt(&a), context.encrypt(&b));
    let y = evaluator.rescale(&evaluator.combine(&[(1.0, &y)], 0.0, 67f64.exp2()).unwrap());
    let sum = evaluator
        .combine(&[(0.75, &x), (-3.5, &y.unwrap())], 0.25, 80f64.exp2())
        .unwrap();
    assert_eq!(
        (sum.scale(), sum.level()),
        (80f64.exp2(), context.parameters.max_level() - 1)
    );
    let want: Vec<Complex64> = a
        .iter()
        .zip(&b)
        .map(|(a, b)| a * 0.75 - b * 3.5 + 0.25)
        .collect();
    context.assert_bits("sum", &sum, &want, 17.0);
    assert!(matches!(
        evaluator.combine(&[(f64::NAN, &x)], 0.0, 60f64.exp2()),
        Err(EvaluatorError::Constant(_))
    ));
    assert_eq!(
        evaluator.combine(&[], 1.0, 60f64.exp2()).unwrap_err(),
        EvaluatorError::Terms(0)
    );
}
