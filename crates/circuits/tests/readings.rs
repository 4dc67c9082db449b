//! One circuit, three readings: they agree on values, levels, scales, operations and keys.

mod common;

use circuits::{
    CircuitError, Cleartext, Encrypted, Evaluator, LinearTransform, NoEncoding, Operation, Planner,
    Shape, Steps, product, rotations,
};
use ckks::{Complex64, Parameters};
use common::{Client, assert_bits};
use std::ops::ControlFlow;

const STEPS: Steps = Steps {
    baby: -3,
    babies: 20,
    giant: 64,
    giants: 3,
};

fn diagonal(slots: usize, rotation: i64) -> Vec<Complex64> {
    if rotation == -9 {
        return vec![Complex64::ZERO; slots];
    }
    (0..slots)
        .map(|i| Complex64::new((i as f64 + rotation as f64).sin(), (i as f64 * 0.3).cos()) / 8.0)
        .collect()
}

/// `((M x)^2 - i conj(M x)) / 2 + 1`, with everything a circuit uses.
fn circuit<E: Evaluator>(
    evaluator: &E,
    x: &E::Ciphertext,
    map: &LinearTransform<E::Plaintext>,
) -> Result<E::Ciphertext, CircuitError> {
    evaluator.layer("map");
    let y = product(
        evaluator,
        &[(map, &rotations(evaluator, x, STEPS.baby, STEPS.babies)?)],
    )?;
    evaluator.layer("square");
    let square = evaluator.relinearize(&evaluator.dot(&[&y], &[&y])?)?;
    let one = vec![Complex64::ONE; evaluator.slots()];
    let same_scale =
        evaluator.encode(&one, evaluator.scale_of(&square) / evaluator.scale_of(&y))?;
    let conjugate = evaluator.dot_plain(
        &[&evaluator.mul_i(&evaluator.conjugate(&y)?)?],
        &[&same_scale],
    )?;
    let sum = evaluator.rescale(&evaluator.sub(&square, &conjugate)?)?;
    evaluator.add_vector(&evaluator.scaled(&sum, 0.5), &one)
}

fn expected(x: &[Complex64]) -> Vec<Complex64> {
    let slots = x.len();
    let mut y = vec![Complex64::ZERO; slots];
    for j in 0..STEPS.giants as i64 {
        for i in 0..STEPS.babies as i64 {
            let rotation = i * STEPS.baby + j * STEPS.giant;
            let d = diagonal(slots, rotation);
            for (s, out) in y.iter_mut().enumerate() {
                *out += d[s] * x[(s as i64 + rotation).rem_euclid(slots as i64) as usize];
            }
        }
    }
    y.iter()
        .map(|z| (z * z - z.conj() * Complex64::I) / 2.0 + 1.0)
        .collect()
}

/// Two rotations of one vector can run side by side, a rotation of a rotation cannot.
#[test]
fn the_critical_path_is_the_longest_chain() {
    let parameters = Parameters::insecure(8, 5).unwrap();
    let plan = |chained: bool| {
        let planner = Planner::new(&parameters, NoEncoding);
        let x = Shape::fresh(3, parameters.scale());
        let first = planner.rotate(&x, 1).unwrap();
        let second = planner
            .rotate(if chained { &first } else { &x }, 1)
            .unwrap();
        planner.add(&first, &second).unwrap();
        planner.into_plan()
    };
    let (apart, chained) = (plan(false), plan(true));
    let [rotation, _, sum] = apart.operations[..] else {
        panic!("three operations")
    };
    let (rotation, sum) = (rotation.cost(&parameters), sum.cost(&parameters));
    assert_eq!(apart.critical_path, rotation + sum);
    assert_eq!(chained.critical_path, 2.0 * rotation + sum);
    assert_eq!(apart.cost_on(1, &parameters), apart.cost());
    assert!((apart.cost_on(4, &parameters) - (rotation / 4.0 * 2.0 + sum / 4.0)).abs() < 1e-9);
}

/// A product at level 2: some 90 bits of modulus, one for the sign, and twice the scale.
#[test]
fn the_least_room_is_that_of_the_largest_scale_at_the_lowest_level() {
    let parameters = Parameters::insecure(8, 5).unwrap();
    let planner = Planner::new(&parameters, NoEncoding);
    let x = Shape::fresh(2, parameters.scale());
    planner.layer("first");
    let sum = planner.add(&x, &x).unwrap();
    planner.layer("second");
    let x = planner.dot(&[&sum], &[&sum]).unwrap();
    planner.relinearize(&x).unwrap();
    let room = planner.into_plan().tightest.unwrap();
    assert_eq!((&room.layer[..], room.operation), ("second", "product"));
    assert!((room.bits - (parameters.log_q(2) - 1.0 - 60.0)).abs() < 1e-9);
}

#[test]
fn the_three_readings_agree() {
    let parameters = Parameters::insecure(9, 5).unwrap();
    let (slots, level) = (parameters.slots(), parameters.max_level());
    let x: Vec<Complex64> = (0..slots)
        .map(|i| Complex64::new((i as f64).cos(), (i as f64 * 1.7).sin()))
        .collect();
    let want = expected(&x);

    let planner = Planner::new(&parameters, NoEncoding);
    let map = LinearTransform::new(STEPS, move |r| diagonal(slots, r));
    let shape = circuit(&planner, &Shape::fresh(level, parameters.scale()), &map).unwrap();
    let plan = planner.into_plan();

    let cleartext = Cleartext::new(&parameters);
    let map = LinearTransform::new(STEPS, move |r| diagonal(slots, r));
    let clear = circuit(
        &cleartext,
        &cleartext.encrypt(&x, level, parameters.scale()),
        &map,
    )
    .unwrap();
    assert_bits("clear", &clear.slots, &want, 30.0);
    assert_eq!(clear.shape, shape);
    assert_eq!(cleartext.into_plan(), plan);
    assert_eq!(
        plan.layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect::<Vec<_>>(),
        ["map", "square"]
    );
    assert_eq!(
        (plan.layers[0].rotations, plan.layers[0].plain_products),
        (19 + 2, 59)
    );
    assert_eq!(
        (
            plan.layers[1].rotations,
            plan.layers[1].relinearizations,
            plan.layers[1].products
        ),
        (1, 1, 1)
    );

    let client = Client::new(&parameters, &plan);
    let encrypted = client.encrypt(&x, level, 30.0);
    let map = LinearTransform::new(STEPS, move |r| diagonal(slots, r));
    let mut cost = 0.0;
    let result = client.read(
        |_, operation| cost += operation.cost(&parameters),
        |reading| circuit(&reading, &encrypted, &map).unwrap(),
    );
    assert_eq!((result.level(), result.scale()), (shape.level, shape.scale));
    assert_bits("encrypted", &client.decrypt(&result), &want, 14.0);
    assert!(
        (cost - plan.cost()).abs() < 1e-6,
        "progress ends at the planned cost"
    );

    let mut left = 7;
    let mut observer = |_: &str, _: Operation| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let reading = Encrypted::new(
        ckks::Evaluator::new(&parameters, &client.keys),
        &mut observer,
    );
    let map = LinearTransform::new(STEPS, move |r| diagonal(slots, r));
    assert_eq!(
        circuit(&reading, &encrypted, &map).unwrap_err(),
        CircuitError::Cancelled
    );
}

#[test]
fn running_out_of_levels_names_layer_and_operation() {
    let parameters = Parameters::insecure(9, 5).unwrap();
    let slots = parameters.slots();
    let map = LinearTransform::new(STEPS, move |r| diagonal(slots, r));
    let planner = Planner::new(&parameters, NoEncoding);
    let error = circuit(&planner, &Shape::fresh(1, parameters.scale()), &map).unwrap_err();
    assert!(
        matches!(&error, CircuitError::Operation { layer, operation: "plain product", .. } if layer == "map"),
        "{error}"
    );
}
