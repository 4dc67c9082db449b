//! The median of repeated runs, wall clock and processor time of the whole process.

use std::time::Instant;

/// Runs `work` once unmeasured and `runs` times measured; prints and returns the median wall time in milliseconds.
pub fn row<T>(name: &str, runs: usize, mut work: impl FnMut() -> T) -> f64 {
    std::hint::black_box(work());
    let mut wall = Vec::new();
    let mut processor = Vec::new();
    for _ in 0..runs {
        let (start, before) = (Instant::now(), crate::machine::processor_seconds());
        std::hint::black_box(work());
        wall.push(start.elapsed().as_secs_f64() * 1e3);
        processor.push((crate::machine::processor_seconds() - before) * 1e3);
    }
    let (wall, processor) = (median(wall), median(processor));
    println!("| {name} | {runs} | {wall:.2} | {processor:.0} |");
    wall
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
