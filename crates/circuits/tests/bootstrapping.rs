//! Bootstrapping at N = 2^16 with 128 bits of security: what it takes and how exact it is. Numbers are printed (`--nocapture`).

mod common;

use circuits::{
    Bootstrapping, BootstrappingSettings, CkksEncoding, LayerCost, NoEncoding, Plan, Planner, Shape,
};
use ckks::{Complex64, Parameters, Plaintext};
use common::{Client, bits, repeated};

/// Ciphertexts come at this level and scale: so exact that what is measured is the refresh.
const LEVEL: usize = 5;
const LOG_SCALE: f64 = 45.0;

fn planned(
    parameters: &Parameters,
    settings: &BootstrappingSettings,
) -> (Bootstrapping<Plaintext>, Plan, Shape) {
    let bootstrapping = Bootstrapping::new(parameters, settings).unwrap();
    let planner = Planner::new(parameters, CkksEncoding);
    let x = Shape::fresh(LEVEL, LOG_SCALE.exp2());
    let shape = bootstrapping.refresh_precisely(&planner, &x).unwrap();
    (bootstrapping, planner.into_plan(), shape)
}

/// Processor time of this thread so far, in seconds: others use the machine too.
fn processor_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = times.split_whitespace().next();
    first
        .and_then(|ns| ns.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1e9
}

fn memory(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kibibytes.unwrap_or(f64::NAN) / (1 << 20) as f64
}

fn refreshed(parameters: &Parameters, settings: &BootstrappingSettings, least_bits: f64) {
    let start = processor_seconds();
    let (bootstrapping, plan, shape) = planned(parameters, settings);
    println!(
        "{settings:?}: planned in {:.1} s, {} plaintexts of {} MB",
        processor_seconds() - start,
        plan.plaintexts,
        plan.plaintext_bytes / 1_000_000
    );
    let start = processor_seconds();
    let client = Client::new(parameters, &plan);
    let wire: usize = plan
        .keys
        .iter()
        .map(|spec| spec.wire_bytes(parameters))
        .sum();
    println!(
        "{} keys in {:.1} s, {} MB on the wire, {} MB prepared",
        plan.keys.len(),
        processor_seconds() - start,
        wire / 1_000_000,
        client.keys.heap_bytes() / 1_000_000
    );
    let mut seconds = vec![];
    for (what, slots) in messages(settings.slots) {
        let x = client.encrypt(&slots, LEVEL, LOG_SCALE);
        let mut stages: Vec<(String, f64)> = vec![];
        let start = processor_seconds();
        let observe = |layer: &str, _| {
            let now = processor_seconds() - start;
            match stages.last_mut().filter(|(name, _)| name == layer) {
                Some((_, end)) => *end = now,
                None => stages.push((layer.into(), now)),
            }
        };
        let result = client.read(observe, |reading| {
            bootstrapping.refresh_precisely(&reading, &x).unwrap()
        });
        seconds.push(processor_seconds() - start);
        assert_eq!((result.level(), result.scale()), (shape.level, shape.scale));
        let (opened, slots) = (
            client.decrypt(&result),
            repeated(&slots, parameters.slots()),
        );
        let least = bits(&opened, &slots);
        let errors = opened.iter().zip(&slots).map(|(a, b)| (a - b).norm());
        println!(
            "{what}: {least:.1} bits at least, {:.1} of the mean error; {:.1} s {stages:.1?}",
            -(errors.sum::<f64>() / opened.len() as f64).log2(),
            seconds[seconds.len() - 1]
        );
        assert!(least >= least_bits, "{what}: {least:.1} bits");
    }
    println!(
        "level {}, scale 2^{:.1}, {} levels above the lowest that can be refreshed; resident {:.1} GiB at most",
        shape.level,
        shape.scale.log2(),
        shape.level - bootstrapping.lowest_level(),
        memory("VmHWM")
    );
}

/// Random messages, and such as gather all they have in a few coefficients or in none.
fn messages(slots: usize) -> Vec<(&'static str, Vec<Complex64>)> {
    let mut state = 1u64;
    let mut random = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    };
    let uniform: Vec<_> = (0..slots)
        .map(|_| Complex64::new(random(), random()))
        .collect();
    let sign = |x: f64| if x < 0.0 { -1.0 } else { 1.0 };
    let signs = uniform
        .iter()
        .map(|z| Complex64::new(sign(z.re), sign(z.im)));
    let mut one = vec![Complex64::ZERO; slots];
    one[slots / 3] = Complex64::new(1.0, -1.0);
    vec![
        ("signs at random", signs.collect()),
        ("all slots 1 + i", vec![Complex64::new(1.0, 1.0); slots]),
        ("one slot", one),
        ("uniform", uniform),
    ]
}

#[test]
#[ignore = "minutes and gigabytes"]
fn all_slots_at_128_bits() {
    let parameters = Parameters::n16_bootstrapping().unwrap();
    refreshed(&parameters, &BootstrappingSettings::full(&parameters), 18.0);
}

#[test]
#[ignore = "minutes and gigabytes"]
fn few_slots_at_128_bits() {
    let parameters = Parameters::n16_bootstrapping().unwrap();
    refreshed(&parameters, &BootstrappingSettings::sparse(4096), 18.0);
}

/// Keys and their bytes against operations and levels, as the planner counts them.
#[test]
#[ignore = "prints a table"]
fn keys_against_time() {
    let parameters = Parameters::n16_bootstrapping().unwrap();
    println!(
        "| layers | baby steps | keys | MB on the wire | rotations | plain products | cost | levels |"
    );
    let three: &[u32] = &[5, 5, 5];
    for (layers, babies) in [
        (three, 32),
        (three, 16),
        (three, 8),
        (three, 4),
        (&[4, 4, 4, 3], 4),
        (&[8, 7], 16),
    ] {
        let settings = BootstrappingSettings {
            slots_to_coeffs: layers.to_vec(),
            coeffs_to_slots: layers.to_vec(),
            babies,
            ..BootstrappingSettings::full(&parameters)
        };
        let bootstrapping = Bootstrapping::new(&parameters, &settings).unwrap();
        let planner = Planner::new(&parameters, NoEncoding);
        let x = Shape::fresh(bootstrapping.lowest_level(), parameters.scale());
        let shape = bootstrapping.refresh(&planner, &x).unwrap();
        let plan = planner.into_plan();
        let wire: usize = plan
            .keys
            .iter()
            .map(|spec| spec.wire_bytes(&parameters))
            .sum();
        let sum = |count: fn(&LayerCost) -> usize| plan.layers.iter().map(count).sum::<usize>();
        println!(
            "| {layers:?} | {babies} | {} | {} | {} | {} | {:.0} | {} |",
            plan.keys.len(),
            wire / 1_000_000,
            sum(|layer| layer.rotations),
            sum(|layer| layer.plain_products),
            plan.cost(),
            shape.level - bootstrapping.lowest_level(),
        );
    }
}

/// The same as the ignored ones, at a small ring.
#[test]
fn messages_of_every_kind_come_back() {
    let parameters = Parameters::insecure_bootstrapping(8).unwrap();
    refreshed(&parameters, &BootstrappingSettings::full(&parameters), 20.0);
    refreshed(&parameters, &BootstrappingSettings::sparse(32), 20.0);
}
