//! Repeated runs: medians of processor time and wall clock on one thread, and of wall clock on all.

use ckks::Parameters;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use rustix::time::{ClockId, clock_gettime};
use std::{cell::RefCell, hint::black_box, time::Instant};

pub(crate) struct Table {
    single: ThreadPool,
    rows: RefCell<Vec<Measured>>,
}

/// A row of the table, for comparisons.
#[derive(Clone)]
pub(crate) struct Measured {
    operation: String,
    log_n: u32,
    pub(crate) log_q: f64,
    /// Milliseconds of the thread, median.
    pub(crate) thread: f64,
}

/// Milliseconds of one run.
struct Run {
    thread: f64,
    wall: f64,
}

impl Table {
    pub(crate) fn new() -> Result<Self, ThreadPoolBuildError> {
        let single = ThreadPoolBuilder::new().num_threads(1).build()?;
        Ok(Self {
            single,
            rows: RefCell::default(),
        })
    }

    /// The row of this operation whose modulus is nearest.
    pub(crate) fn nearest(&self, operation: &str, log_n: u32, log_q: f64) -> Option<Measured> {
        let rows = self.rows.borrow();
        let same = rows
            .iter()
            .filter(|row| row.operation == operation && row.log_n == log_n);
        let distance = |row: &&Measured| (row.log_q - log_q).abs();
        same.min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .cloned()
    }

    pub(crate) fn head(&self) {
        let threads = rayon::current_num_threads();
        println!(
            "| operation | level | runs | thread ms | wall ms | wall ms, {threads} threads |\n|---|---|---|---|---|---|"
        );
    }

    /// Runs `work` once unmeasured and then often enough for a median, on one thread and on all.
    pub(crate) fn row<T: Send>(
        &self,
        parameters: &Parameters,
        name: &str,
        level: Option<usize>,
        work: impl Fn() -> T + Sync,
    ) {
        let first = self.single.install(|| measured(&work));
        let runs = (400.0 / first.wall.max(0.1)).clamp(5.0, 51.0) as usize;
        let alone: Vec<Run> = self
            .single
            .install(|| (0..runs).map(|_| measured(&work)).collect());
        // In the pool, as the server evaluates: from outside, every parallel loop would wait for a thread to wake up.
        let together: Vec<Run> = rayon::scope(|_| (0..runs).map(|_| measured(&work)).collect());
        let thread = median(alone.iter().map(|run| run.thread));
        self.rows.borrow_mut().push(Measured {
            operation: name.to_owned(),
            log_n: parameters.log_n(),
            log_q: parameters.log_q(level.unwrap_or(parameters.max_level())),
            thread,
        });
        let level = level.map_or(String::from("–"), |level| level.to_string());
        println!(
            "| {name} | {level} | {runs} | {:.3} | {:.3} | {:.3} |",
            thread,
            median(alone.iter().map(|run| run.wall)),
            median(together.iter().map(|run| run.wall)),
        );
    }
}

fn measured<T>(work: &impl Fn() -> T) -> Run {
    let (thread, wall) = (thread_milliseconds(), Instant::now());
    black_box(work());
    Run {
        wall: wall.elapsed().as_secs_f64() * 1e3,
        thread: thread_milliseconds() - thread,
    }
}

/// Processor time of the calling thread alone.
pub fn thread_milliseconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 * 1e-6
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
