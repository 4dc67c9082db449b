//! A whole refresh: by stage and by kind of operation, with what it leaves and what its keys take.

use crate::refresh_peers::Ours;

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

/// Seconds by stage, and by kind of operation with their number and planned cost.
#[derive(Default)]
struct Clock {
    stages: Vec<(String, f64)>,
    kinds: BTreeMap<&'static str, (usize, f64, f64)>,
    current: Option<(String, Operation, f64)>,
}

impl Clock {
    /// The operation before ends where this one begins.
    fn at(&mut self, parameters: &Parameters, now: f64, next: Option<(&str, Operation)>) {
        if let Some((layer, operation, start)) = self.current.take() {
            let spent = now - start;
            let entry = self.kinds.entry(operation.name()).or_default();
            let cost = operation.cost(parameters);
            *entry = (entry.0 + 1, entry.1 + spent, entry.2 + cost);
            match self.stages.last_mut().filter(|(name, _)| *name == layer) {
                Some((_, total)) => *total += spent,
                None => self.stages.push((layer, spent)),
            }
        }
        self.current = next.map(|(layer, operation)| (layer.into(), operation, now));
    }
}

/// Refreshes with different keys, factors and slots: processor time on one thread; on all, that of the thread which waits for the others, and wall time.
pub(crate) fn run(parameters: &Parameters) -> Result<Ours, Box<dyn Error>> {
    let threads = rayon::current_num_threads();
    println!(
        "| slots | layers | baby steps | keys | MB on the wire | largest key | thread s to make | levels from, to | thread s | leading s, {threads} threads | wall s | thread ns a slot and bit | worst slot |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let usual = BootstrappingSettings::full(parameters);
    let (clock, ours) = refresh(parameters, &usual)?;
    refresh(parameters, &BootstrappingSettings::real(parameters))?;
    for babies in [4, 32] {
        let usual = usual.clone();
        refresh(parameters, &BootstrappingSettings { babies, ..usual })?;
    }
    let four = vec![4, 4, 4, 3];
    let settings = BootstrappingSettings {
        slots_to_coeffs: four.clone(),
        coeffs_to_slots: four,
        babies: 4,
        ..usual
    };
    refresh(parameters, &settings)?;
    refresh(parameters, &BootstrappingSettings::sparse(4096))?;
    println!(
        "\nThe first of them:\n\n| stage, operation | number | thread s | µs a unit of planned cost |\n|---|---|---|---|"
    );
    for (name, seconds) in &clock.stages {
        println!("| {name} | | {seconds:.2} | |");
    }
    for (name, (count, seconds, cost)) in &clock.kinds {
        println!(
            "| {name} | {count} | {seconds:.2} | {:.0} |",
            seconds / cost * 1e6
        );
    }
    println!();
    Ok(ours)
}

fn refresh(
    parameters: &Parameters,
    settings: &BootstrappingSettings,
) -> Result<(Clock, Ours), Box<dyn Error>> {
    let bootstrapping = Bootstrapping::new(parameters, settings)?;
    let level = bootstrapping.lowest_level();
    let planner = Planner::new(parameters, CkksEncoding);
    let shape = bootstrapping.refresh(&planner, &Shape::fresh(level, parameters.scale()))?;
    let plan = planner.into_plan();
    let secret = SecretKey::new(parameters, &Seed::random()?);
    let generator = KeyGenerator::new(parameters, &secret);
    let mut keys = EvaluationKeySet::new(parameters);
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let made = single.install(|| -> Result<f64, Box<dyn Error + Send + Sync>> {
        let start = thread_seconds();
        for spec in &plan.keys {
            keys.insert(&generator.generate(spec)?);
        }
        Ok(thread_seconds() - start)
    });
    let made = made.map_err(|error| error.to_string())?;
    let sizes = plan.keys.iter().map(|spec| spec.wire_bytes(parameters));
    let (wire, largest) = (sizes.clone().sum::<usize>(), sizes.max().unwrap_or(0));
    let slots: Vec<Complex64> = (0..settings.slots)
        .map(|i| match settings.real {
            true => Complex64::from((i as f64 * 1.7).cos()),
            false => Complex64::cis(i as f64 * 1.7),
        })
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
    let once = || {
        let mut clock = Clock::default();
        let begin = thread_seconds();
        let mut observer = |layer: &str, operation: Operation| {
            clock.at(parameters, thread_seconds(), Some((layer, operation)));
            ControlFlow::Continue(())
        };
        let reading = Encrypted::new(ckks::Evaluator::new(parameters, &keys), &mut observer);
        let result = bootstrapping.refresh(&reading, &x);
        drop(reading);
        clock.at(parameters, thread_seconds(), None);
        result.map(|result| (result, thread_seconds() - begin, clock))
    };
    let (result, alone, clock) = single.install(|| {
        once()?;
        once()
    })?;
    let begin = Instant::now();
    let (_, leading, _) = in_pool(once)?;
    let together = begin.elapsed().as_secs_f64();
    let opened = Decryptor::new(parameters, &secret).decrypt(&result);
    let errors = opened.iter().zip(&slots).map(|(a, b)| (a - b).norm());
    let ours = Ours {
        slots: settings.slots,
        seconds: alone,
        bits: parameters.log_q(shape.level) - parameters.log_q(level),
    };
    println!(
        "| {}{} | {:?} | {} | {} | {} | {:.1} | {made:.1} | {level}, {} | {alone:.2} | {leading:.2} | {together:.2} | {:.0} | 2^{:.1} |",
        settings.slots,
        if settings.real { ", real" } else { "" },
        settings.coeffs_to_slots,
        settings.babies,
        plan.keys.len(),
        wire / 1_000_000,
        largest as f64 / 1e6,
        shape.level,
        ours.nanoseconds(),
        errors.fold(0.0, f64::max).log2(),
    );
    Ok((clock, ours))
}

fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
