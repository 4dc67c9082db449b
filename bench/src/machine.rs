//! What the figures were measured on.

use std::fs::read_to_string;

/// Prints processor, cores, memory and threads.
pub fn print() {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpu.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(": "))
            .map_or("?", |(_, value)| value)
    };
    let widest = ["avx512f", "avx2"]
        .into_iter()
        .find(|set| field("flags").split(' ').any(|flag| flag == *set));
    println!(
        "machine: {}, {} cores, {}, {} threads\n",
        field("model name"),
        std::thread::available_parallelism().map_or(1, |n| n.get()),
        widest.unwrap_or("no wide vectors"),
        rayon::current_num_threads(),
    );
}

/// User and system time of this process so far, in ticks of 10 ms.
pub fn processor_seconds() -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = |i: usize| {
        after_name
            .split(' ')
            .nth(i)
            .and_then(|t| t.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// Largest and present resident memory of a process in MiB.
pub fn resident(process: u32) -> (f64, f64) {
    let status = read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.trim().split(' ').next()?.parse::<f64>().ok())
            .unwrap_or(0.0)
            / 1024.0
    };
    (field("VmHWM:"), field("VmRSS:"))
}
