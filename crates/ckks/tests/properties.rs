//! Every operation against its meaning on slots, over random rings, levels, scales and awkward messages; and the laws that hold bit for bit.

mod common;
use ckks::*;
use common::{Context, ROTATIONS, random::Random, tracked::Tracked};

/// Rings of 128 slots and more (the rotations of [`ROTATIONS`] differ there), chains of one digit, of a cut and of several.
const RINGS: [(u32, usize); 5] = [(8, 4), (8, 7), (8, 8), (9, 15), (11, 11)];

#[test]
fn every_operation_means_what_it_says() {
    for (log_n, chain) in RINGS {
        let context = Context::new(Parameters::insecure(log_n, chain).unwrap());
        for seed in 0..6 {
            let mut random = Random(u64::from(log_n) << 32 | (chain as u64) << 8 | seed);
            operations(&context, &mut random);
        }
    }
}

fn operations(context: &Context, random: &mut Random) {
    let (parameters, evaluator) = (&context.parameters, context.evaluator());
    let e = &evaluator;
    let mut fresh = || Tracked::fresh(context, random.awkward_slots(parameters.slots()));
    let (x, y) = (fresh(), fresh());
    let plain = [fresh().slots, fresh().slots];
    // A product has scale 2^60 and needs the 90 bits of level 2 to sit in.
    let level = 2 + random.below(parameters.max_level() - 1);
    let (low, steps) = (
        x.drop_to(level, e),
        ROTATIONS[random.below(ROTATIONS.len())],
    );
    let check = |name: &str, value: &Tracked| {
        let (measured, bound) = (value.measured(context), value.bound.noise);
        assert!(
            measured <= bound,
            "{name} at level {level}, {context:?}: 2^{:.2} measured, 2^{:.2} bound",
            measured.log2(),
            bound.log2()
        );
        assert!(value.bound.fits(parameters, value.level()), "{name}");
    };
    check("fresh", &x);
    check("drop", &low);
    check("add", &low.add(&y, e));
    check("sub", &y.sub(&low, e));
    check("neg", &low.neg(e));
    check("mul_i", &low.mul_i(e));
    check("add_plain", &low.add_plain(&plain[0], e));
    check("conjugate", &low.conjugate(e));
    check("rotate", &low.rotate(steps, false, e));
    check("hoisted", &low.rotate(steps, true, e));
    check("rescale", &low.rescale(e));
    check("scaled", &low.scaled(0.01 + random.unit(), e));
    let terms = [
        (random.unit() - 0.5, &low),
        (3.0 * random.unit(), &y),
        (-1.0, &x),
    ];
    let sum = Tracked::combine(&terms, random.unit(), 2f64.powi(59), e);
    check("combine", &sum);
    check("combine, rescale", &sum.rescale(e));
    check("rescale by two primes", &sum.rescale_by(2, e));
    // Terms of two scales.
    let scales = [(random.unit(), &sum), (-2.0 * random.unit(), &y)];
    let sum = Tracked::combine(&scales, -random.unit(), 2f64.powi(70), e);
    check("combine of two scales", &sum);
    let product = Tracked::dot(&[&low], &[&y], e);
    check("mul", &product);
    check("relinearize", &product.relinearize(e));
    check("mul, rescale", &product.relinearize(e).rescale(e));
    let eight = Tracked::dot(&[&low; 8], &[&y; 8], e);
    check("dot of 8", &eight);
    check("dot of 8, relinearize", &eight.relinearize(e));
    let scale = (10.0 + random.below(30) as f64).exp2();
    let weighted = Tracked::dot_plain(&[&low, &y], &[&plain[0], &plain[1]], scale, e);
    check("dot_plain", &weighted);
    check("dot_plain, rescale", &weighted.rescale(e));
    let sixteen = Tracked::dot_plain(&[&low; 16], &[&plain[0][..]; 16], 2f64.powi(30), e);
    check("dot_plain of 16", &sixteen);
}

/// Sums and products act on polynomials exactly, so two ways to the same polynomial give the same bytes.
#[test]
fn laws_hold_bit_for_bit() {
    for (log_n, chain) in RINGS {
        let context = Context::new(Parameters::insecure(log_n, chain).unwrap());
        laws(&context, &mut Random(chain as u64));
    }
}

fn laws(context: &Context, random: &mut Random) {
    let (parameters, evaluator) = (&context.parameters, context.evaluator());
    let e = &evaluator;
    let mut fresh = || context.encrypt(&random.awkward_slots(parameters.slots()));
    let (a, b, c) = (fresh(), fresh(), fresh());
    let same = |law: &str, left: Ciphertext, right: Ciphertext| {
        assert!(
            left.to_bytes(parameters) == right.to_bytes(parameters),
            "{law} fails in {context:?}"
        );
        assert_eq!((left.level(), left.parts()), (right.level(), right.parts()));
        assert!((left.scale() / right.scale() - 1.0).abs() < 1e-12, "{law}");
    };
    let add = |x: &Ciphertext, y: &Ciphertext| e.add(x, y).unwrap();
    let mul = |x: &Ciphertext, y: &Ciphertext| e.mul(x, y).unwrap();
    same("a + b = b + a", add(&a, &b), add(&b, &a));
    same(
        "(a + b) + c = a + (b + c)",
        add(&add(&a, &b), &c),
        add(&a, &add(&b, &c)),
    );
    same(
        "(a + b) - b = a",
        e.sub(&add(&a, &b), &b).unwrap(),
        a.clone(),
    );
    same(
        "a - b = a + (-b)",
        e.sub(&a, &b).unwrap(),
        add(&a, &e.neg(&b)),
    );
    same("i i a = -a", e.mul_i(&e.mul_i(&a)), e.neg(&a));
    same("a b = b a", mul(&a, &b), mul(&b, &a));
    same(
        "(a + b) c = a c + b c",
        mul(&add(&a, &b), &c),
        add(&mul(&a, &c), &mul(&b, &c)),
    );
    same(
        "a sum of products is the sum of the products",
        e.dot(&[&a, &b, &c], &[&c, &a, &b]).unwrap(),
        add(&add(&mul(&a, &c), &mul(&b, &a)), &mul(&c, &b)),
    );
    let weights: Vec<Plaintext> = (0..2)
        .map(|_| {
            let slots = random.slots(parameters.slots());
            Plaintext::encode(parameters, &slots, parameters.scale()).unwrap()
        })
        .collect();
    let weighted = |x: &Ciphertext, p: &Plaintext| e.mul_plain(x, p).unwrap();
    same(
        "a weighted sum is the sum of weighted terms",
        e.dot_plain(&[&a, &b], &[&weights[0], &weights[1]]).unwrap(),
        add(&weighted(&a, &weights[0]), &weighted(&b, &weights[1])),
    );
    same(
        "p (a b) in three parts: p a b = a p b",
        mul(
            &weighted(&a, &weights[0]),
            &e.drop_to(&b, b.level()).unwrap(),
        ),
        mul(&b, &weighted(&a, &weights[0])),
    );
    let (scale, large) = (a.scale(), 2f64.powi(40) * a.scale());
    let combine = |terms: &[(f64, &Ciphertext)], scale: f64| e.combine(terms, 0.0, scale).unwrap();
    same(
        "combining with 1 and -1 is a - b",
        combine(&[(1.0, &a), (-1.0, &b)], scale),
        e.sub(&a, &b).unwrap(),
    );
    same(
        "combining sums terms of any factors",
        combine(&[(0.3, &a), (-7.1, &b)], large),
        add(
            &combine(&[(0.3, &a)], large),
            &combine(&[(-7.1, &b)], large),
        ),
    );
    same(
        "rescaling by one prime",
        e.rescale_by(&a, 1).unwrap(),
        e.rescale(&a).unwrap(),
    );
    same("rescaling by none", e.rescale_by(&a, 0).unwrap(), a.clone());
    let level = 2 + random.below(parameters.max_level() - 1);
    let drop = |x: &Ciphertext| e.drop_to(x, level).unwrap();
    same(
        "dropping is exact: sums",
        drop(&add(&a, &b)),
        add(&drop(&a), &drop(&b)),
    );
    same(
        "dropping is exact: products",
        drop(&mul(&a, &b)),
        mul(&drop(&a), &b),
    );
    same(
        "mixed levels meet at the lower",
        add(&a, &drop(&b)),
        add(&drop(&a), &drop(&b)),
    );
    same("rotation by nothing", e.rotate(&a, 0).unwrap(), a.clone());
    let around = parameters.slots() as i64;
    same(
        "rotation is cyclic",
        e.rotate(&a, 1 + around).unwrap(),
        e.rotate(&a, 1).unwrap(),
    );
}

/// What was encrypted at any level and scale comes back.
#[test]
fn encryption_inverts_at_every_level_and_scale() {
    let context = Context::new(Parameters::insecure(9, 9).unwrap());
    let parameters = &context.parameters;
    let mut random = Random(1);
    for level in 0..=parameters.max_level() {
        let largest = (parameters.log_q(level) - 2.0).min(49.0);
        let log_scale = (random.unit() * (largest - 12.0) + 12.0).floor();
        let spec = CiphertextSpec {
            level,
            log_scale,
            ..context.spec()
        };
        let slots = random.awkward_slots(parameters.slots());
        let sent = Encryptor::new(parameters, &context.secret)
            .encrypt(&slots, &spec)
            .unwrap();
        let back =
            SeededCiphertext::from_bytes(parameters, &spec, &sent.to_bytes(parameters)).unwrap();
        let opened = context.decrypt(&back.expand(parameters));
        let bound = parameters.fresh_noise() / log_scale.exp2();
        for (x, y) in opened.iter().zip(&slots) {
            assert!(
                (x - y).norm() <= bound,
                "level {level}, scale 2^{log_scale}"
            );
        }
    }
}
