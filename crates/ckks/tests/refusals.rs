//! What is refused, and with which error.

mod common;
use ckks::*;
use common::Context;

#[test]
fn insecure_parameters_are_refused_with_bound_and_value() {
    let mut literal = Parameters::n15_q630_p237().unwrap().literal().clone();
    // One prime more than the bound allows.
    let extra = ring::primes::ntt_primes_below(1 << 26, 1 << 15)
        .next()
        .unwrap();
    literal.special.push(extra);
    let Err(error) = Parameters::from_literal(literal.clone()) else {
        panic!("accepted")
    };
    assert!(
        matches!(error, ParametersError::Insecure { bound: 868, log_qp, .. } if log_qp > 868.0)
    );
    let text = error.to_string();
    assert!(
        text.contains("868") && text.contains("892.") && text.contains("2024/463"),
        "{text}"
    );
    literal.log_n = 14;
    assert_eq!(
        Parameters::from_literal(literal).unwrap_err(),
        ParametersError::NoBound(14)
    );
    for set in Parameters::released().unwrap() {
        let bound = if set.log_n() == 15 { 868.0 } else { 1747.0 };
        assert!(set.log_qp() <= bound, "{set:?}");
        assert_eq!(set.security_bits(), 128);
        let named = Parameters::by_name(set.name()).unwrap();
        assert_eq!(named.digest(), set.digest());
    }
    assert_eq!(Parameters::insecure(10, 9).unwrap().security_bits(), 0);
    assert!(Parameters::by_name("n14").is_err());
    assert_ne!(
        Parameters::insecure(10, 9).unwrap().digest(),
        Parameters::insecure(10, 8).unwrap().digest()
    );
}

#[test]
fn levels_scales_and_keys_are_checked() {
    let context = Context::small();
    let evaluator = context.evaluator();
    let x = context.encrypt(&context.message(0.1));
    let low = evaluator.drop_to(&x, 1).unwrap();
    assert!(matches!(
        evaluator.mul(&low, &low),
        Err(EvaluatorError::ScaleOverflow { .. })
    ));
    let mut bottom = x.clone();
    while bottom.level() > 0 {
        bottom = evaluator.rescale(&bottom).unwrap();
    }
    assert_eq!(
        evaluator.rescale(&bottom).unwrap_err(),
        EvaluatorError::LevelExhausted {
            level: 0,
            needed: 1
        }
    );
    let rescaled = evaluator.rescale(&x).unwrap();
    assert!(matches!(
        evaluator.add(&x, &rescaled),
        Err(EvaluatorError::ScaleMismatch(..))
    ));
    assert!(matches!(
        evaluator.drop_to(&low, 2),
        Err(EvaluatorError::LevelExhausted {
            level: 1,
            needed: 2
        })
    ));
    let product = evaluator.mul(&x, &x).unwrap();
    assert_eq!(
        evaluator.mul(&product, &x).unwrap_err(),
        EvaluatorError::Degree {
            expected: 2,
            found: 3
        }
    );
    assert_eq!(
        evaluator.rotate(&product, 1).unwrap_err(),
        EvaluatorError::Degree {
            expected: 2,
            found: 3
        }
    );
    assert_eq!(
        evaluator.relinearize(&x).unwrap_err(),
        EvaluatorError::Degree {
            expected: 3,
            found: 2
        }
    );
    assert!(
        matches!(evaluator.rotate(&x, 2), Err(EvaluatorError::MissingKey(spec)) if spec.level == x.level())
    );
    assert!(matches!(
        evaluator.dot(&[&x; 9], &[&x; 9]),
        Err(EvaluatorError::Terms(9))
    ));
    assert!(matches!(
        evaluator.dot(&[], &[]),
        Err(EvaluatorError::Terms(0))
    ));
    let plain =
        Plaintext::encode(&context.parameters, &context.message(0.0), 2f64.powi(31)).unwrap();
    assert!(matches!(
        evaluator.add_plain(&x, &plain),
        Err(EvaluatorError::ScaleMismatch(..))
    ));
}

#[test]
fn a_key_for_a_lower_level_does_not_serve_a_higher_one() {
    let context = Context::small();
    let kind = KeyKind::Galois(galois_element_of_rotation(2, context.parameters.degree()));
    let mut keys = EvaluationKeySet::new(&context.parameters);
    let spec = KeySpec { kind, level: 4 };
    keys.insert(
        &KeyGenerator::new(&context.parameters, &context.secret)
            .generate(&spec)
            .unwrap(),
    );
    let evaluator = Evaluator::new(&context.parameters, &keys);
    let a = context.message(0.5);
    let x = context.encrypt(&a);
    assert!(matches!(
        evaluator.rotate(&x, 2),
        Err(EvaluatorError::MissingKey(_))
    ));
    for level in 1..=4 {
        let low = evaluator.drop_to(&x, level).unwrap();
        context.assert_bits(
            "lower key",
            &evaluator.rotate(&low, 2).unwrap(),
            &common::rotated(&a, 2),
            17.5,
        );
    }
    assert_eq!(
        keys.missing(&[spec, KeySpec { kind, level: 5 }]),
        [KeySpec { kind, level: 5 }]
    );
}

#[test]
fn bytes_are_checked() {
    let context = Context::small();
    let parameters = &context.parameters;
    let spec = context.spec();
    let sent = Encryptor::new(parameters, &context.secret)
        .encrypt(&context.message(0.1), &spec)
        .unwrap();
    let bytes = sent.to_bytes(parameters);
    let read = |spec: &CiphertextSpec, bytes: &[u8]| {
        SeededCiphertext::from_bytes(parameters, spec, bytes).map(|_| ())
    };
    assert_eq!(read(&spec, &bytes), Ok(()));
    assert!(matches!(
        read(&spec, &bytes[1..]),
        Err(WireError::Length { .. })
    ));
    assert!(matches!(
        read(&spec, &[]),
        Err(WireError::Length { found: 0, .. })
    ));
    let mut high = bytes.clone();
    high[32..36].fill(0xff);
    assert_eq!(read(&spec, &high), Err(WireError::Residue));
    for bad in [
        CiphertextSpec { level: 99, ..spec },
        CiphertextSpec {
            log_scale: f64::NAN,
            ..spec
        },
        CiphertextSpec {
            log_scale: 1e6,
            ..spec
        },
    ] {
        assert_eq!(read(&bad, &bytes), Err(WireError::Specification));
        assert_eq!(
            Ciphertext::from_bytes(parameters, &bad, &bytes).map(|_| ()),
            Err(WireError::Specification)
        );
    }
    let x = context
        .evaluator()
        .drop_to(&sent.expand(parameters), 1)
        .unwrap();
    let low = CiphertextSpec { level: 1, ..spec };
    let back = Ciphertext::from_bytes(parameters, &low, &x.to_bytes(parameters)).unwrap();
    assert_eq!(back.to_bytes(parameters), x.to_bytes(parameters));
    for element in [0, 1, 4, 2 * parameters.degree() as u32 + 1] {
        let spec = KeySpec {
            kind: KeyKind::Galois(element),
            level: 1,
        };
        assert_eq!(spec.check(parameters), Err(WireError::Specification));
        assert_eq!(spec.wire_bytes(parameters), 0);
        assert!(SeededKey::from_bytes(parameters, &spec, &bytes).is_err());
    }
}
