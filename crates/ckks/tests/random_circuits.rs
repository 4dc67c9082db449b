//! Random programs: after every instruction the noise of every slot stays below the bound that was carried along, and the bound within
//! six bits of what is measured.

mod common;
use ckks::*;
use common::{Context, ROTATIONS, random::Random, tracked::Tracked};

#[test]
fn noise_stays_within_its_bound_and_the_bound_within_six_bits() {
    let mut tally = Tally::default();
    for (log_n, chain, programs) in [(8, 16, 40), (10, 12, 20), (12, 21, 2)] {
        let context = Context::new(Parameters::insecure(log_n, chain).unwrap());
        for seed in 0..programs {
            run(&context, log_n as u64 * 1000 + seed, 24, &mut tally);
        }
    }
    tally.assert_every_instruction_ran();
}

#[test]
#[ignore = "minutes: run by `just test-long`"]
fn noise_stays_within_its_bound_at_the_released_parameters() {
    for set in Parameters::released().unwrap() {
        let context = Context::new(set);
        let mut tally = Tally::default();
        for seed in 0..3 {
            run(&context, seed, 40, &mut tally);
        }
    }
}

const INSTRUCTIONS: [&str; 11] = [
    "add",
    "sub",
    "neg",
    "mul_i",
    "drop",
    "conjugate",
    "rotate",
    "hoisted rotate",
    "add_plain",
    "dot",
    "dot_plain",
];

/// How often each instruction ran, and the loosest and tightest bound seen, in bits above the measurement.
#[derive(Default)]
struct Tally {
    runs: [usize; INSTRUCTIONS.len()],
    loosest: f64,
    tightest: Option<f64>,
}

impl Tally {
    fn assert_every_instruction_ran(&self) {
        for (name, runs) in INSTRUCTIONS.iter().zip(self.runs) {
            assert!(
                runs >= 5,
                "{name} ran {runs} times: the programs test little"
            );
        }
        println!(
            "bounds lie {:.1} to {:.1} bits above the measured noise",
            self.tightest.unwrap_or(f64::NAN),
            self.loosest
        );
    }
}

/// Six values, and instructions that put a function of some in place of the first of them. A value is used once: of two that share a
/// term the noise can cancel, and no bound that adds up would be tight.
fn run(context: &Context, seed: u64, length: usize, tally: &mut Tally) {
    let (mut random, evaluator) = (Random(seed), context.evaluator());
    let fresh =
        |random: &mut Random| Tracked::fresh(context, random.slots(context.parameters.slots()));
    let mut values: Vec<Tracked> = (0..6).map(|_| fresh(&mut random)).collect();
    for step in 0..length {
        let instruction = random.below(INSTRUCTIONS.len());
        let turn = random.below(values.len());
        values.rotate_left(turn);
        let Some((used, result)) = execute(instruction, &values, &mut random, &evaluator) else {
            continue;
        };
        tally.runs[instruction] += 1;
        let (measured, bound) = (result.measured(context), result.bound.noise);
        let at = format!(
            "{} (instruction {step} of program {seed}, {context:?}): 2^{:.2} measured, 2^{:.2} bound",
            INSTRUCTIONS[instruction],
            measured.log2(),
            bound.log2()
        );
        let fits = result.bound.fits(&context.parameters, result.level());
        assert!(fits, "{at}: the message does not fit");
        assert!(measured <= bound, "{at}: exceeded");
        assert!(bound <= 64.0 * measured, "{at}: more than six bits above");
        let above = (bound / measured).log2();
        tally.loosest = tally.loosest.max(above);
        tally.tightest = Some(tally.tightest.map_or(above, |least| least.min(above)));
        for value in &mut values[..used] {
            *value = fresh(&mut random);
        }
        // A value that has no level left, or has grown, ends here.
        if result.level() >= 3 && result.size() < 8.0 {
            values[0] = result;
        }
    }
}

/// How many of the first values were used, and the result at the scale of a fresh ciphertext; `None` where they lack levels.
fn execute(
    instruction: usize,
    values: &[Tracked],
    random: &mut Random,
    evaluator: &Evaluator<'_>,
) -> Option<(usize, Tracked)> {
    let parameters = evaluator.parameters();
    let (a, b) = (&values[0], &values[1]);
    let level = values[..4].iter().map(Tracked::level).min()?;
    let steps = ROTATIONS[random.below(ROTATIONS.len())];
    let plain = random.slots(parameters.slots());
    // Back to the common scale, so that any two values can be added.
    let normalised = |product: Tracked| {
        let prime = parameters.prime(product.level());
        let scale = prime * parameters.scale() / product.ciphertext.scale();
        let ones = vec![Complex64::ONE; parameters.slots()];
        Tracked::dot_plain(&[&product], &[&ones], scale, evaluator).rescale(evaluator)
    };
    Some(match INSTRUCTIONS[instruction] {
        "add" => (2, a.add(b, evaluator)),
        "sub" => (2, a.sub(b, evaluator)),
        "neg" => (1, a.neg(evaluator)),
        "mul_i" => (1, a.mul_i(evaluator)),
        "drop" => (1, a.drop_to(a.level() - random.below(2), evaluator)),
        "conjugate" => (1, a.conjugate(evaluator)),
        "rotate" => (1, a.rotate(steps, false, evaluator)),
        "hoisted rotate" => (1, a.rotate(steps, true, evaluator)),
        "add_plain" => (1, a.add_plain(&plain, evaluator)),
        "dot" if level >= 5 => {
            let product = match random.below(3) {
                0 => Tracked::dot(&[a], &[a], evaluator),
                1 => Tracked::dot(&[a], &[b], evaluator),
                _ => Tracked::dot(&[a, b], &[&values[2], &values[3]], evaluator),
            };
            let result = product.relinearize(evaluator).rescale(evaluator);
            (4, normalised(result))
        }
        "dot_plain" => {
            let scale = parameters.prime(a.level().min(b.level()));
            let product = Tracked::dot_plain(&[a, b], &[&plain, &plain], scale, evaluator);
            (2, product.rescale(evaluator))
        }
        _ => return None,
    })
}
