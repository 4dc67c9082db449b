//! Measured noise stays below its bound, and the bound within 6 bits of what is measured.

mod common;
use ckks::*;
use common::Context;

#[test]
fn bounds_hold_and_are_tight_at_small_rings() {
    for (log_n, chain) in [(8, 5), (10, 9), (12, 16)] {
        check(&Context::new(Parameters::insecure(log_n, chain).unwrap()));
    }
}

#[test]
#[ignore = "a minute: run by `just test-long`"]
fn bounds_hold_and_are_tight_at_the_released_parameters() {
    for set in Parameters::released().unwrap() {
        check(&Context::new(set));
    }
}

fn check(context: &Context) {
    let (parameters, evaluator) = (&context.parameters, context.evaluator());
    let zero = vec![Complex64::ZERO; parameters.slots()];
    let x = context.encrypt(&zero);
    let worst = |ciphertext: &Ciphertext| {
        let slots = context.decrypt(ciphertext);
        ciphertext.scale() * slots.iter().map(|z| z.norm()).fold(0.0, f64::max)
    };
    let within = |what: &str, measured: f64, bound: f64| {
        println!(
            "{what}: 2^{:.1} measured, 2^{:.1} bound",
            measured.log2(),
            bound.log2()
        );
        assert!(measured <= bound, "{what}: {measured} exceeds {bound}");
        assert!(
            bound <= 64.0 * measured,
            "{what}: {bound} is more than 6 bits above {measured}"
        );
    };
    let fresh = parameters.fresh_noise();
    within("fresh", worst(&x), fresh);
    for level in (1..=x.level()).rev().step_by(4) {
        let low = evaluator.drop_to(&x, level).unwrap();
        let turned = evaluator.rotate(&low, 1).unwrap();
        within(
            &format!("rotate at level {level}"),
            worst(&turned),
            fresh + parameters.key_switch_noise(level),
        );
        within(
            &format!("rescale at level {level}"),
            worst(&evaluator.rescale(&low).unwrap()),
            fresh / parameters.prime(level) + parameters.rescale_noise(),
        );
    }
}
