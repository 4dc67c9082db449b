//! A whole refresh by other libraries, on one thread, beside ours: where they install and memory suffices, otherwise a line says what is missing.

use crate::{
    peers::{self, OPENFHE, interpreter},
    poulpy,
};
use std::{env, error::Error, fs, path::Path, process::Command};

const PROGRAM: &str = include_str!("../peers/openfhe_bootstrapping.py");

/// Of ours, what the others are compared with.
pub(crate) struct Ours {
    pub(crate) slots: usize,
    pub(crate) seconds: f64,
    /// log2 of the modulus after a refresh over that of the lowest level that can be refreshed.
    pub(crate) bits: f64,
}

impl Ours {
    /// Nanoseconds of one thread a slot and bit.
    pub(crate) fn nanoseconds(&self) -> f64 {
        self.seconds * 1e9 / (self.slots as f64 * self.bits)
    }
}

/// A line of a program's output.
struct Row {
    set: String,
    slots: usize,
    bits: f64,
    exact: String,
    runs: usize,
    thread: f64,
    wall: f64,
    memory: String,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            set: next()?.to_owned(),
            slots: next()?.parse().ok()?,
            bits: next()?.parse().ok()?,
            exact: next()?.to_owned(),
            runs: next()?.parse().ok()?,
            thread: next()?.parse().ok()?,
            wall: next()?.parse().ok()?,
            memory: next()?.to_owned(),
        })
    }

    fn print(&self, ours: &Ours) {
        let theirs = self.thread * 1e9 / (self.slots as f64 * self.bits);
        println!(
            "| {} | {} | {} | {} | {} | {:.1} | {:.1} | {} | {theirs:.0} | {:.2} |",
            self.set,
            self.slots,
            self.bits,
            self.exact,
            self.runs,
            self.thread,
            self.wall,
            self.memory,
            ours.nanoseconds() / theirs
        );
    }
}

/// Settings and the GiB that they take.
const OPENFHE_SETS: [(&[&str], f64); 2] = [
    (&["cts", "3", "4", "6"], 12.0),
    (&["stc", "3", "4", "6"], 12.0),
];
const POULPY_SETS: [(&str, f64); 3] = [("ci", 20.0), ("ci-few", 16.0), ("c2s-few", 16.0)];

/// Prints a row for each peer's settings.
pub(crate) fn run(ours: &Ours) -> Result<(), Box<dyn Error>> {
    println!(
        "| peer, N = 2^16 | slots | bits of modulus left | bits, worst slot | runs | thread s | wall s | GiB, peak | thread ns a slot and bit | ours of it |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    let folder = env::temp_dir().join(format!("cipherformer-refresh-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    for (arguments, memory) in OPENFHE_SETS {
        let measured = fits(memory).and_then(|()| openfhe(arguments, &folder));
        print(&format!("OpenFHE {}", arguments.join(" ")), measured, ours);
    }
    for (preset, memory) in POULPY_SETS {
        let measured = fits(memory).and_then(|()| poulpy::measure("poulpy-bootstrapping", preset));
        print(&format!("Poulpy {preset}"), measured, ours);
    }
    println!();
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn print(name: &str, measured: Result<String, String>, ours: &Ours) {
    let row = measured.map(|lines| lines.lines().find_map(Row::read));
    match row {
        Ok(Some(row)) => row.print(ours),
        Ok(None) => println!("| skipped | {name}: no row in what it printed | | | | | | | | |"),
        Err(reason) => println!("| skipped | {name}: {reason} | | | | | | | | |"),
    }
}

fn openfhe(arguments: &[&str], folder: &Path) -> Result<String, String> {
    let mut command = Command::new(interpreter(&OPENFHE, folder)?);
    command.args(["-c", PROGRAM]).args(arguments);
    peers::succeed(command.env("OMP_NUM_THREADS", "1"))
}

/// A peer that is killed for want of memory takes others with it.
fn fits(needed: f64) -> Result<(), String> {
    let information = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = information
        .lines()
        .find(|line| line.starts_with("MemAvailable"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    let free = kibibytes.unwrap_or(0.0) / f64::from(1 << 20);
    match free >= needed {
        true => Ok(()),
        false => Err(format!(
            "it takes {needed:.0} GiB of memory, {free:.0} are free"
        )),
    }
}
