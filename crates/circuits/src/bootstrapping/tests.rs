//! Every stage, and the whole, on ciphertexts of an insecure small ring against its meaning on slots.

#[path = "../../tests/common/mod.rs"]
mod common;

use super::*;
use crate::{Cleartext, NoEncoding, Planner, Shape};
use common::{Client, assert_bits, repeated};

/// A circuit to be read three ways.
trait Circuit {
    fn run<E: Evaluator>(&self, evaluator: &E, x: &E::Ciphertext) -> Vec<E::Ciphertext>;
}

struct Start {
    level: usize,
    log_scale: f64,
}

/// The slots of the cleartext and of the encrypted reading, whose levels and scales are those of the plan; the scale of the first.
fn readings(
    parameters: &Parameters,
    circuit: &impl Circuit,
    slots: &[Complex64],
    start: &Start,
) -> (Vec<Vec<Complex64>>, Vec<Vec<Complex64>>, Shape) {
    let (level, scale) = (start.level, start.log_scale.exp2());
    let planner = Planner::new(parameters, NoEncoding);
    let shapes = circuit.run(&planner, &Shape::fresh(level, scale));
    let plan = planner.into_plan();

    let cleartext = Cleartext::new(parameters);
    let clear = circuit.run(&cleartext, &cleartext.encrypt(slots, level, scale));
    assert_eq!(clear.iter().map(|c| c.shape).collect::<Vec<_>>(), shapes);

    let client = Client::new(parameters, &plan);
    let x = client.encrypt(slots, level, start.log_scale);
    let mut cost = 0.0;
    let results = client.read(
        |_, operation| cost += operation.cost(parameters),
        |reading| circuit.run(&reading, &x),
    );
    assert!(
        (cost / plan.cost() - 1.0).abs() < 1e-9,
        "progress ends at the planned cost"
    );
    for (result, shape) in results.iter().zip(&shapes) {
        assert_eq!((result.level(), result.scale()), (shape.level, shape.scale));
    }
    (
        clear.into_iter().map(|c| c.slots).collect(),
        results.iter().map(|c| client.decrypt(c)).collect(),
        shapes[0],
    )
}

fn parameters() -> Parameters {
    Parameters::insecure_bootstrapping(8).unwrap()
}

fn message(count: usize) -> Vec<Complex64> {
    (0..count)
        .map(|i| Complex64::new((i as f64 * 0.37).sin(), (i as f64 * 0.71).cos()))
        .collect()
}

fn bit_reversed(x: &[Complex64]) -> Vec<Complex64> {
    let bits = x.len().ilog2();
    (0..x.len())
        .map(|j| x[j.reverse_bits() >> (usize::BITS - bits)])
        .collect()
}

/// The coefficients, as complex numbers in the order that the transforms leave them in.
fn coefficients(parameters: &Parameters, slots: &[Complex64]) -> Vec<Complex64> {
    let all = parameters.encoder().coefficients(slots);
    let (real, imaginary) = all.split_at(all.len() / 2);
    let pairs = real
        .iter()
        .zip(imaginary)
        .map(|(&re, &im)| Complex64::new(re, im));
    bit_reversed(&pairs.collect::<Vec<_>>())
}

struct ToCoefficients(Parameters, BootstrappingSettings);

impl Circuit for ToCoefficients {
    fn run<E: Evaluator>(&self, evaluator: &E, x: &E::Ciphertext) -> Vec<E::Ciphertext> {
        let stage = SlotsToCoeffs::new(&self.0, &self.1, 2, 47f64.exp2());
        vec![stage.evaluate(evaluator, x).unwrap()]
    }
}

#[test]
fn slots_become_coefficients() {
    let parameters = parameters();
    let x = message(parameters.slots());
    let circuit = ToCoefficients(parameters.clone(), BootstrappingSettings::full(&parameters));
    // Once from where it begins, once from two levels above.
    for (level, log_scale) in [(4, 30.0), (6, 47.3)] {
        let start = Start { level, log_scale };
        let (clear, encrypted, shape) = readings(&parameters, &circuit, &x, &start);
        assert_eq!(shape.level, 1);
        assert!(
            (shape.scale.log2() - 47.0).abs() < 0.1,
            "2^{}",
            shape.scale.log2()
        );
        assert_bits("clear", &coefficients(&parameters, &clear[0]), &x, 40.0);
        let bits = if level == 4 { 17.0 } else { 24.0 };
        assert_bits(
            "encrypted",
            &coefficients(&parameters, &encrypted[0]),
            &x,
            bits,
        );
    }
}

struct ToSlots(Parameters, BootstrappingSettings);

impl Circuit for ToSlots {
    fn run<E: Evaluator>(&self, evaluator: &E, x: &E::Ciphertext) -> Vec<E::Ciphertext> {
        let start = evaluator.scale_of(x);
        let stage = CoeffsToSlots::new(&self.0, &self.1, start, 60f64.exp2());
        stage.evaluate(evaluator, x).unwrap()
    }
}

#[test]
fn coefficients_become_slots() {
    let parameters = parameters();
    let level = parameters.max_level();
    let want = message(parameters.slots());
    let mut all: Vec<f64> = bit_reversed(&want).iter().map(|z| z.re).collect();
    all.extend(bit_reversed(&want).iter().map(|z| z.im));
    let x = parameters.encoder().slots(&all);
    let circuit = ToSlots(parameters.clone(), BootstrappingSettings::full(&parameters));
    let start = Start {
        level,
        log_scale: 55.0,
    };
    let (clear, encrypted, shape) = readings(&parameters, &circuit, &x, &start);
    assert_eq!(shape.level, level - 6);
    for (part, take) in [|z: &Complex64| z.re, |z: &Complex64| z.im]
        .iter()
        .enumerate()
    {
        let want: Vec<Complex64> = want.iter().map(|z| take(z).into()).collect();
        assert_bits("clear", &clear[part], &want, 40.0);
        assert_bits("encrypted", &encrypted[part], &want, 38.0);
    }
}

#[test]
fn few_coefficients_become_slots_beside_each_other() {
    let parameters = parameters();
    let slots = 16;
    let want = message(slots);
    let x = {
        let gap = parameters.slots() / slots;
        let mut all = vec![0.25; parameters.degree()];
        for (j, z) in bit_reversed(&want).iter().enumerate() {
            all[j * gap] = z.re;
            all[parameters.slots() + j * gap] = z.im;
        }
        parameters.encoder().slots(&all)
    };
    let circuit = ToSlots(parameters.clone(), BootstrappingSettings::sparse(slots));
    let level = parameters.max_level();
    let start = Start {
        level,
        log_scale: 55.0,
    };
    let (clear, encrypted, _) = readings(&parameters, &circuit, &x, &start);
    let real = want.iter().map(|z| Complex64::from(z.re));
    let beside: Vec<_> = real.chain(want.iter().map(|z| z.im.into())).collect();
    let beside = repeated(&beside, parameters.slots());
    assert_bits("clear", &clear[0], &beside, 40.0);
    assert_bits("encrypted", &encrypted[0], &beside, 36.0);
}

struct Reduction;

impl Circuit for Reduction {
    fn run<E: Evaluator>(&self, evaluator: &E, x: &E::Ciphertext) -> Vec<E::Ciphertext> {
        vec![
            EvalMod::new(32)
                .evaluate(evaluator, x, 59.2f64.exp2())
                .unwrap(),
        ]
    }
}

#[test]
fn multiples_of_the_base_are_reduced_to_nothing() {
    let parameters = parameters();
    let bound = EvalMod::new(32).bound;
    let level = parameters.max_level() - 6;
    // Every multiple up to 16, each with parts of the base up to 2^-10, and the ends of the interval.
    let value = |i: usize| match i {
        0 => 16.5,
        1 => -16.5,
        _ => (i % 33) as f64 - 16.0 + (i as f64 * 0.9).sin() / 1024.0,
    };
    let values: Vec<f64> = (0..parameters.slots()).map(value).collect();
    let x: Vec<Complex64> = values.iter().map(|t| (t / bound).into()).collect();
    let want: Vec<Complex64> = values.iter().map(|t| (TAU * t).sin().into()).collect();
    let start = Start {
        level,
        log_scale: 59.95,
    };
    let (clear, encrypted, shape) = readings(&parameters, &Reduction, &x, &start);
    assert_eq!(shape.level, level - EvalMod::LEVELS);
    assert!((shape.scale.log2() - 59.2).abs() < 1e-12);
    assert_bits("clear", &clear[0], &want, 40.0);
    assert_bits("encrypted", &encrypted[0], &want, 36.0);
}

struct Refresh(Parameters, BootstrappingSettings);

impl Circuit for Refresh {
    fn run<E: Evaluator>(&self, evaluator: &E, x: &E::Ciphertext) -> Vec<E::Ciphertext> {
        let bootstrapping = Bootstrapping::new(&self.0, &self.1).unwrap();
        let precise = bootstrapping.refresh_precisely(evaluator, x).unwrap();
        let refreshed = bootstrapping.refresh(evaluator, x).unwrap();
        let ratio = evaluator.scale_of(&refreshed) / evaluator.scale();
        assert!((ratio - 1.0).abs() < 1e-12);
        assert_eq!(
            evaluator.level_of(&refreshed) + 1,
            evaluator.level_of(&precise)
        );
        vec![precise, refreshed]
    }
}

#[test]
fn a_ciphertext_is_refreshed() {
    let parameters = parameters();
    let circuit = Refresh(parameters.clone(), BootstrappingSettings::full(&parameters));
    let slots = parameters.slots();
    let extreme = vec![Complex64::new(1.0, -1.0); slots];
    let start = Start {
        level: 5,
        log_scale: 45.0,
    };
    for (what, x) in [("mixed", message(slots)), ("all at the ends", extreme)] {
        let (clear, encrypted, shape) = readings(&parameters, &circuit, &x, &start);
        assert_eq!(shape.level, parameters.max_level() - 22);
        assert!((48.0..51.0).contains(&shape.scale.log2()));
        assert_bits(&format!("clear, {what}"), &clear[0], &x, 21.0);
        assert_bits(&format!("encrypted, {what}"), &encrypted[0], &x, 20.0);
        assert_bits(&format!("clear, {what}, rescaled"), &clear[1], &x, 21.0);
        assert_bits(
            &format!("encrypted, {what}, rescaled"),
            &encrypted[1],
            &x,
            18.0,
        );
    }
}

#[test]
fn a_ciphertext_of_few_slots_is_refreshed() {
    let parameters = parameters();
    let x = message(32);
    let circuit = Refresh(parameters.clone(), BootstrappingSettings::sparse(32));
    let start = Start {
        level: 5,
        log_scale: 45.0,
    };
    let (clear, encrypted, shape) = readings(&parameters, &circuit, &x, &start);
    assert_eq!(shape.level, parameters.max_level() - 23);
    let x = repeated(&x, parameters.slots());
    assert_bits("clear", &clear[0], &x, 21.0);
    assert_bits("encrypted", &encrypted[0], &x, 20.0);
    assert_bits("encrypted, rescaled", &encrypted[1], &x, 18.0);
}

/// Of real slots one reduction is enough, of few as of all, and what is imaginary in them is gone.
#[test]
fn real_slots_are_refreshed_without_their_imaginary_parts() {
    let parameters = parameters();
    let start = Start {
        level: 5,
        log_scale: 45.0,
    };
    for slots in [parameters.slots(), 32] {
        let settings = BootstrappingSettings {
            real: true,
            ..BootstrappingSettings::sparse(slots)
        };
        let circuit = Refresh(parameters.clone(), settings);
        let x: Vec<Complex64> = message(slots).iter().map(|z| z.re.into()).collect();
        let noisy: Vec<Complex64> = x.iter().map(|z| z + Complex64::I / 4096.0).collect();
        let (clear, encrypted, shape) = readings(&parameters, &circuit, &noisy, &start);
        // No product with units, where the slots are few.
        assert_eq!(shape.level, parameters.max_level() - 22);
        let x = repeated(&x, parameters.slots());
        assert_bits(&format!("clear, {slots}"), &clear[0], &x, 21.0);
        assert_bits(&format!("encrypted, {slots}"), &encrypted[0], &x, 20.0);
    }
}

/// Values beyond `[-1, 1]` inside of a bound, at a scale that is not the evaluator's, as a circuit has them.
struct Within(Parameters, f64);

impl Circuit for Within {
    fn run<E: Evaluator>(&self, evaluator: &E, x: &E::Ciphertext) -> Vec<E::Ciphertext> {
        let settings = BootstrappingSettings::real(&self.0);
        let bootstrapping = Bootstrapping::new(&self.0, &settings).unwrap();
        let fresh = bootstrapping.refresh_within(evaluator, x, self.1).unwrap();
        let ratio = evaluator.scale_of(&fresh) / evaluator.scale_of(x);
        assert!((ratio - 1.0).abs() < 1e-12, "{ratio}");
        vec![fresh]
    }
}

#[test]
fn values_within_a_bound_come_back_at_their_scale() {
    let parameters = parameters();
    let x: Vec<Complex64> = message(parameters.slots())
        .iter()
        .map(|z| (30.0 * z.re).into())
        .collect();
    for log_scale in [28.0, 30.0, 33.0] {
        let start = Start {
            level: 4,
            log_scale,
        };
        let circuit = Within(parameters.clone(), 32.0);
        let (clear, encrypted, shape) = readings(&parameters, &circuit, &x, &start);
        assert_eq!(shape.level, parameters.max_level() - 23);
        assert_bits(&format!("clear, 2^{log_scale}"), &clear[0], &x, 16.0);
        assert_bits(
            &format!("encrypted, 2^{log_scale}"),
            &encrypted[0],
            &x,
            log_scale - 16.0,
        );
    }
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let parameters = parameters();
    let refused = |change: &dyn Fn(&mut BootstrappingSettings)| {
        let mut settings = BootstrappingSettings::full(&parameters);
        change(&mut settings);
        let error = Bootstrapping::<()>::new(&parameters, &settings)
            .err()
            .unwrap();
        assert!(matches!(error, CircuitError::Bootstrapping(_)), "{error}");
    };
    refused(&|s| s.slots = 48);
    refused(&|s| s.slots = 2 * parameters.slots());
    refused(&|s| s.slots_to_coeffs = vec![3, 3]);
    refused(&|s| s.coeffs_to_slots = vec![7, 0]);
    refused(&|s| s.coeffs_to_slots = vec![1; 7].into_iter().chain([0]).collect());
    refused(&|s| s.babies = 6);
    refused(&|s| s.ratio = f64::NAN);
    let without = Parameters::insecure(8, 20).unwrap();
    let settings = BootstrappingSettings::full(&without);
    assert!(Bootstrapping::<()>::new(&without, &settings).is_err());
}

#[test]
fn ciphertexts_that_cannot_be_refreshed_are_errors() {
    let parameters = parameters();
    let settings = BootstrappingSettings::full(&parameters);
    let bootstrapping = Bootstrapping::new(&parameters, &settings).unwrap();
    assert_eq!(bootstrapping.lowest_level(), 4);
    for (level, log_scale) in [(0, 20.0), (3, 30.0), (4, 65.0)] {
        let planner = Planner::new(&parameters, NoEncoding);
        let x = Shape::fresh(level, f64::exp2(log_scale));
        let error = bootstrapping.refresh(&planner, &x).unwrap_err();
        assert!(
            matches!(&error, CircuitError::Operation { layer, .. } if layer.starts_with("bootstrapping")),
            "{error}"
        );
    }
}
