//! A circuit deeper than its chain, refreshed where that is cheapest: the same in all readings.

mod common;

use circuits::{
    BootstrappingSettings, CircuitError, Cleartext, Evaluator, NoEncoding, Placement, Plan,
    Planner, Refreshing, Shape,
};
use ckks::{Complex64, KeyKind, Parameters};
use common::{Client, assert_bits};
use std::sync::Arc;

/// Blocks of so many steps of two levels. Each offers a place at its start, where one ciphertext lives, and, halfway, one where two do.
struct Blocks(Vec<usize>);

impl Blocks {
    fn run<E: Evaluator>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let mut x = x.clone();
        for (k, &steps) in self.0.iter().enumerate() {
            if k > 0 {
                x = evaluator.refresh_point(vec![(x, 1.0)])?.swap_remove(0);
            }
            evaluator.layer(&format!("block {}", k + 1));
            for _ in 0..steps / 2 {
                x = step(evaluator, &x)?;
            }
            let other = evaluator.rotate(&x, 3)?;
            let mut two = evaluator.refresh_point(vec![(x, 1.0), (other, 1.0)])?;
            evaluator.layer(&format!("block {}, second half", k + 1));
            for _ in steps / 2..steps {
                for one in &mut two {
                    *one = step(evaluator, one)?;
                }
            }
            x = evaluator.scaled(&evaluator.add(&two[0], &two[1])?, 0.5);
        }
        Ok(x)
    }
}

/// `x^2 / 4 + rot(x, 1) / 2 + c`, which stays in `[-1, 1]` and lets no error grow: two levels.
fn step<E: Evaluator>(evaluator: &E, x: &E::Ciphertext) -> Result<E::Ciphertext, CircuitError> {
    let square = evaluator.relinearize(&evaluator.dot(&[x], &[x])?)?;
    let square = evaluator.rescale(&square)?;
    let level = evaluator.level_of(&square);
    let turned = evaluator.rotate(&evaluator.drop_to(x, level)?, 1)?;
    let target = evaluator.scale() * evaluator.prime(level);
    let share = |a: &E::Ciphertext, share: f64| {
        let weight = vec![Complex64::from(share)];
        let weight = evaluator.encode(&weight, target / evaluator.scale_of(a))?;
        evaluator.dot_plain(&[a], &[&weight])
    };
    let sum = evaluator.add(&share(&square, 0.25)?, &share(&turned, 0.5)?)?;
    let own = (0..evaluator.slots()).map(|i| Complex64::from((i as f64 * 1.7).sin() / 4.0));
    evaluator.add_vector(&evaluator.rescale(&sum)?, &own.collect::<Vec<_>>())
}

fn parameters() -> Parameters {
    Parameters::insecure_bootstrapping(8).unwrap()
}

fn surveyed(parameters: &Parameters, circuit: &Blocks) -> Result<Placement, CircuitError> {
    let planner = Planner::surveying(parameters, NoEncoding);
    let top = Shape::fresh(parameters.max_level(), parameters.scale());
    let result = circuit.run(&planner, &top)?;
    let survey = planner.into_survey(&result);
    assert_eq!(survey.places(), 2 * circuit.0.len() - 1);
    let settings = BootstrappingSettings::full(parameters);
    Placement::cheapest(parameters, &settings, &survey, 1)
}

fn planned(
    parameters: &Parameters,
    circuit: &Blocks,
    placement: &Placement,
) -> Result<(Plan, Shape), CircuitError> {
    let settings = BootstrappingSettings::full(parameters);
    let refreshing = Refreshing::new(parameters, &settings, placement.clone())?;
    let planner = Planner::new(parameters, NoEncoding).refreshing(Arc::new(refreshing));
    let shape = circuit.run(&planner, &Shape::fresh(placement.level, parameters.scale()))?;
    Ok((planner.into_plan(), shape))
}

#[test]
fn a_circuit_deeper_than_its_chain_agrees_with_its_meaning() {
    let (parameters, circuit) = (parameters(), Blocks(vec![4; 6]));
    assert!(2 * circuit.0.iter().sum::<usize>() > parameters.max_level());
    let placement = surveyed(&parameters, &circuit).unwrap();
    let refreshed: Vec<_> = placement.steps.iter().map(Option::is_some).collect();
    println!("{placement:?}");
    assert!(placement.refreshes() > 0);
    let halfway = refreshed.iter().step_by(2);
    assert!(
        halfway.clone().all(|refreshed| !refreshed),
        "two live there: {refreshed:?}"
    );

    let (plan, shape) = planned(&parameters, &circuit, &placement).unwrap();
    assert_eq!(shape.level, 1);
    let ratio = plan.cost() / placement.cost;
    assert!(
        (ratio - 1.0).abs() < 0.01,
        "planned at {ratio} of what was searched for"
    );
    let has = |kind| plan.keys.iter().any(|key| key.kind == kind);
    assert!(has(KeyKind::ToEphemeral) && has(KeyKind::FromEphemeral));
    let stages = plan
        .layers
        .iter()
        .filter(|l| l.name.starts_with("bootstrapping"));
    assert_eq!(stages.count(), 4 * placement.refreshes());

    let slots: Vec<Complex64> = (0..parameters.slots())
        .map(|i| Complex64::from((i as f64 * 0.37).cos()))
        .collect();
    let settings = BootstrappingSettings::full(&parameters);
    let refreshing = Refreshing::new(&parameters, &settings, placement.clone()).unwrap();
    let cleartext = Cleartext::new(&parameters).refreshing(Arc::new(refreshing));
    let x = cleartext.encrypt(&slots, placement.level, parameters.scale());
    let clear = circuit.run(&cleartext, &x).unwrap();
    assert_eq!(
        (clear.shape.level, clear.shape.scale),
        (shape.level, shape.scale)
    );
    // Without any refresh, on a chain as long as the circuit, the slots are these.
    let long = Cleartext::new(&Parameters::insecure(8, 51).unwrap());
    let x = long.encrypt(&slots, 50, parameters.scale());
    let meaning = circuit.run(&long, &x).unwrap().slots;
    assert_bits("clear", &clear.slots, &meaning, 18.0);

    let client = Client::new(&parameters, &plan);
    let x = client.encrypt(&slots, placement.level, parameters.scale().log2());
    let (mut done, mut layers) = (0.0, Vec::<String>::new());
    let observe = |layer: &str, operation: circuits::Operation| {
        done += operation.cost(&parameters);
        if layers.last().map(String::as_str) != Some(layer) {
            layers.push(layer.into());
        }
    };
    let refreshing = Arc::new(Refreshing::new(&parameters, &settings, placement).unwrap());
    let result = client.read(observe, |reading| {
        circuit.run(&reading.refreshing(refreshing), &x).unwrap()
    });
    assert_eq!((result.level(), result.scale()), (shape.level, shape.scale));
    assert!(
        (done / plan.cost() - 1.0).abs() < 1e-9,
        "progress ends at the planned cost"
    );
    assert_eq!(
        layers,
        plan.layers
            .iter()
            .map(|l| l.name.clone())
            .collect::<Vec<_>>()
    );
    assert_bits("encrypted", &client.decrypt(&result), &meaning, 10.0);
}

/// Every choice of places, each level the best for it, planned from end to end: none is cheaper than the one found.
#[test]
fn no_other_choice_of_places_is_cheaper() {
    let (parameters, circuit) = (parameters(), Blocks(vec![5, 7, 3]));
    let found = surveyed(&parameters, &circuit).unwrap();
    let cost = planned(&parameters, &circuit, &found).unwrap().0.cost();
    let (mut possible, mut closest) = (0, f64::INFINITY);
    for choice in 0..1u32 << found.steps.len() {
        let chosen: Vec<bool> = (0..found.steps.len())
            .map(|k| choice >> k & 1 == 1)
            .collect();
        let Some(best) = cheapest_levels(&parameters, &circuit, &chosen) else {
            continue;
        };
        possible += 1;
        closest = best.min(closest);
        assert!(
            cost <= best * 1.0001,
            "{found:?} costs {cost}, {chosen:?} {best}"
        );
    }
    assert!(
        possible > 1 && cost >= closest * 0.9999,
        "{possible} choices, {closest} at least"
    );
}

/// The lowest level that lets the circuit reach the next chosen place at level 4, or its end at level 1: what follows costs least.
fn cheapest_levels(parameters: &Parameters, circuit: &Blocks, chosen: &[bool]) -> Option<f64> {
    let halves = circuit
        .0
        .iter()
        .flat_map(|&steps| [2 * (steps / 2), 2 * (steps - steps / 2)]);
    let (mut starts, mut level) = (vec![], 0);
    for (k, depth) in halves.enumerate() {
        if k == 0 || chosen[k - 1] {
            starts.push((k, level));
            level = 0;
        }
        level += depth;
    }
    starts.push((chosen.len() + 1, level));
    let lengths: Vec<(usize, usize)> = starts.windows(2).map(|w| (w[0].0, w[1].1)).collect();
    let last = lengths.len() - 1;
    let level = |i: usize| lengths[i].1 + if i == last { 1 } else { 4 };
    let mut steps = vec![None; chosen.len()];
    for i in 1..lengths.len() {
        steps[lengths[i].0 - 1] = Some(level(i));
    }
    let fits = level(0) <= parameters.max_level() && (1..=last).all(|i| level(i) <= 21);
    let placement = Placement {
        level: level(0),
        steps,
        cost: 0.0,
    };
    fits.then(|| planned(parameters, circuit, &placement).unwrap().0.cost())
}

#[test]
fn what_no_bootstrapping_helps_names_layer_and_operation() {
    let parameters = parameters();
    // Half of the second block is deeper than what a refresh leaves, and the first block too deep to go through both.
    let circuit = Blocks(vec![15, 24]);
    let placement = surveyed(&parameters, &circuit).unwrap();
    let error = planned(&parameters, &circuit, &placement).unwrap_err();
    let CircuitError::Operation {
        layer, operation, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!(
        layer.starts_with("block 2") && !operation.is_empty(),
        "{error}"
    );
    // Deeper than the chain between two places: the survey stops there.
    let error = surveyed(&parameters, &Blocks(vec![2, 50])).unwrap_err();
    assert!(error.to_string().starts_with("block 2, "), "{error}");
    // No ephemeral secret, no refresh.
    let without = Parameters::insecure(8, 45).unwrap();
    let error = surveyed(&without, &Blocks(vec![8; 6])).unwrap_err();
    assert!(matches!(error, CircuitError::Bootstrapping(_)), "{error}");
}
