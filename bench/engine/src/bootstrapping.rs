//! A whole refresh: by stage and by kind of operation, with what it leaves and what its keys take.

use circuits::{
    Bootstrapping, BootstrappingSettings, CkksEncoding, Encrypted, Operation, Planner, Shape,
    in_pool,
};
use ckks::{
    CiphertextSpec, Complex64, Decryptor, Encryptor, EvaluationKeySet, KeyGenerator, Parameters,
    SecretKey, Seed, Subring,
};
use rustix::time::{ClockId, clock_gettime};
use std::{collections::BTreeMap, error::Error, ops::ControlFlow, time::Instant};

/// Seconds by stage, and by kind of operation with their number.
#[derive(Default)]
struct Clock {
    stages: Vec<(String, f64)>,
    kinds: BTreeMap<&'static str, (usize, f64)>,
    current: Option<(String, &'static str, f64)>,
}

impl Clock {
    /// The operation before ends where this one begins.
    fn at(&mut self, now: f64, next: Option<(&str, Operation)>) {
        if let Some((layer, kind, start)) = self.current.take() {
            let spent = now - start;
            let entry = self.kinds.entry(kind).or_default();
            *entry = (entry.0 + 1, entry.1 + spent);
            match self.stages.last_mut().filter(|(name, _)| *name == layer) {
                Some((_, total)) => *total += spent,
                None => self.stages.push((layer, spent)),
            }
        }
        self.current = next.map(|(layer, operation)| (layer.into(), operation.name(), now));
    }
}

/// Refreshes with different keys, factors and slots: processor time on one thread, wall time on all.
pub(crate) fn run(parameters: &Parameters) -> Result<(), Box<dyn Error>> {
    let usual = BootstrappingSettings::full(parameters);
    let four = vec![4, 4, 4, 3];
    println!(
        "| slots | layers | baby steps | keys | MB on the wire | s to make | levels from, to | thread s | wall s, {} threads | worst slot |\n|---|---|---|---|---|---|---|---|---|---|",
        rayon::current_num_threads()
    );
    let clock = refresh(parameters, &usual)?;
    let babies = 32;
    refresh(
        parameters,
        &BootstrappingSettings {
            babies,
            ..usual.clone()
        },
    )?;
    let settings = BootstrappingSettings {
        slots_to_coeffs: four.clone(),
        coeffs_to_slots: four,
        babies: 4,
        ..usual
    };
    refresh(parameters, &settings)?;
    refresh(parameters, &BootstrappingSettings::sparse(4096))?;
    println!("\nThe first of them:\n\n| stage, operation | number | thread s |\n|---|---|---|");
    for (name, seconds) in &clock.stages {
        println!("| {name} | | {seconds:.2} |");
    }
    for (name, (count, seconds)) in &clock.kinds {
        println!("| {name} | {count} | {seconds:.2} |");
    }
    println!();
    Ok(())
}

fn refresh(
    parameters: &Parameters,
    settings: &BootstrappingSettings,
) -> Result<Clock, Box<dyn Error>> {
    let bootstrapping = Bootstrapping::new(parameters, settings)?;
    let level = bootstrapping.lowest_level();
    let planner = Planner::new(parameters, CkksEncoding);
    let shape = bootstrapping.refresh(&planner, &Shape::fresh(level, parameters.scale()))?;
    let plan = planner.into_plan();
    let secret = SecretKey::new(parameters, &Seed::random()?);
    let generator = KeyGenerator::new(parameters, &secret);
    let mut keys = EvaluationKeySet::new(parameters);
    let start = Instant::now();
    for spec in &plan.keys {
        keys.insert(&generator.generate(spec)?);
    }
    let made = start.elapsed().as_secs_f64();
    let wire: usize = plan
        .keys
        .iter()
        .map(|spec| spec.wire_bytes(parameters))
        .sum();
    let slots: Vec<Complex64> = (0..settings.slots)
        .map(|i| Complex64::cis(i as f64 * 1.7))
        .cycle()
        .take(parameters.slots())
        .collect();
    let spec = CiphertextSpec {
        level,
        log_scale: parameters.scale().log2(),
        subring: Subring::Full,
    };
    let x = Encryptor::new(parameters, &secret)
        .encrypt(&slots, &spec)?
        .expand(parameters);
    let once = |now: &(dyn Fn() -> f64 + Sync)| {
        let mut clock = Clock::default();
        let begin = now();
        let mut observer = |layer: &str, operation: Operation| {
            clock.at(now(), Some((layer, operation)));
            ControlFlow::Continue(())
        };
        let reading = Encrypted::new(ckks::Evaluator::new(parameters, &keys), &mut observer);
        let result = bootstrapping.refresh(&reading, &x);
        drop(reading);
        clock.at(now(), None);
        result.map(|result| (result, now() - begin, clock))
    };
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (result, alone, clock) = single.install(|| {
        once(&thread_seconds)?;
        once(&thread_seconds)
    })?;
    let begin = Instant::now();
    let wall = || begin.elapsed().as_secs_f64();
    let (_, together, _) = in_pool(|| once(&wall))?;
    let opened = Decryptor::new(parameters, &secret).decrypt(&result);
    let errors = opened.iter().zip(&slots).map(|(a, b)| (a - b).norm());
    println!(
        "| {} | {:?} | {} | {} | {} | {made:.1} | {level}, {} | {alone:.2} | {together:.2} | 2^{:.1} |",
        settings.slots,
        settings.coeffs_to_slots,
        settings.babies,
        plan.keys.len(),
        wire / 1_000_000,
        shape.level,
        errors.fold(0.0, f64::max).log2(),
    );
    Ok(clock)
}

fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
