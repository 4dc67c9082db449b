//! A whole refresh by Poulpy, under one of its own presets at N = 2^16, all slots, on one thread. A line: library and set, slots, bits of modulus
//! left above those that an input must have, bits of the worst slot, runs, processor and wall seconds (medians), peak GiB.

use poulpy_ckks::{
    presets::bootstrapping::{n16_d35_k636_p20_c2s, n16_d35_k685_p19_s2c_ffr_ci},
    test_suite::presets::{BootstrappingPresetRun, CIBackend, preset_for_backend},
};
#[cfg(feature = "avx2")]
use poulpy_cpu_avx::NTT4x30Avx as Backend;
#[cfg(feature = "avx512ifma")]
use poulpy_cpu_avx512::NTT3x42Ifma as Backend;
use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    // "few": rotations by powers of two alone, which is nearer to keys that a browser can make.
    let (name, few) = match name.strip_suffix("-few") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let (preset, conjugate_invariant) = match name {
        "ci" => (n16_d35_k685_p19_s2c_ffr_ci(), true),
        "c2s" => (n16_d35_k636_p20_c2s(), false),
        _ => panic!("ci, ci-few, c2s or c2s-few"),
    };
    let preset = preset_for_backend::<Backend, CIBackend<Backend>>(&preset.unwrap()).unwrap();
    let preset = match few {
        true => preset.with_power_of_two_keys().unwrap(),
        false => preset,
    };
    let mut run = match conjugate_invariant {
        true => BootstrappingPresetRun::<Backend>::setup_ci(preset),
        false => BootstrappingPresetRun::<Backend>::setup(preset),
    };
    const RUNS: usize = 3;
    let (mut thread, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (before, start) = (thread_seconds(), Instant::now());
        run.bootstrap();
        wall.push(start.elapsed().as_secs_f64());
        thread.push(thread_seconds() - before);
    }
    let (re, im) = run.precision();
    let preset = run.preset();
    println!(
        "Poulpy, {}{}\t{}\t{}\t{:.1}\t{RUNS}\t{}\t{}\t{:.1}",
        preset.name(),
        if few { ", keys of powers of two" } else { "" },
        preset.n() / 2,
        preset.output_k() - preset.input_k(),
        re.min_log2_prec.min(im.min_log2_prec),
        median(thread),
        median(wall),
        peak_gibibytes(),
    );
}

/// Processor time of this thread.
fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn peak_gibibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kibibytes.unwrap_or(f64::NAN) / (1 << 20) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
