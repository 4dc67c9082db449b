//! Repeated runs: medians of processor time and wall clock on one thread, and of wall clock on all.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use rustix::time::{ClockId, clock_gettime};
use std::{hint::black_box, time::Instant};

pub(crate) struct Table {
    single: ThreadPool,
}

/// Milliseconds of one run.
struct Run {
    thread: f64,
    wall: f64,
}

impl Table {
    pub(crate) fn new() -> Result<Self, ThreadPoolBuildError> {
        let single = ThreadPoolBuilder::new().num_threads(1).build()?;
        Ok(Self { single })
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
        name: &str,
        level: Option<usize>,
        work: impl Fn() -> T + Sync,
    ) {
        let first = self.single.install(|| measured(&work));
        let runs = (400.0 / first.wall.max(0.1)).clamp(5.0, 51.0) as usize;
        let alone: Vec<Run> = self
            .single
            .install(|| (0..runs).map(|_| measured(&work)).collect());
        let together: Vec<Run> = (0..runs).map(|_| measured(&work)).collect();
        let level = level.map_or(String::from("–"), |level| level.to_string());
        println!(
            "| {name} | {level} | {runs} | {:.3} | {:.3} | {:.3} |",
            median(alone.iter().map(|run| run.thread)),
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
fn thread_milliseconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 * 1e-6
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
