//! Repeated runs: the median wall clock, and the mean processor time of the whole process, which is counted in ticks of 10 ms.

use std::time::Instant;

/// Runs `work` once unmeasured and `runs` times measured; prints and returns the median wall time in milliseconds.
pub fn row<T>(name: &str, runs: usize, mut work: impl FnMut() -> T) -> f64 {
    std::hint::black_box(work());
    let before = crate::machine::processor_seconds();
    let wall = (0..runs).map(|_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    });
    let wall = median(wall.collect());
    let processor = (crate::machine::processor_seconds() - before) * 1e3 / runs as f64;
    println!("| {name} | {runs} | {wall:.2} | {processor:.1} |");
    wall
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
