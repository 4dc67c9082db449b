//! Every instruction and every address that the client touches, recorded by valgrind, is the same for all secrets and messages: constant
//! time in the program-counter and address model, checked on the binary.
//!
//! Not seen: instructions whose own time depends on operands (floating-point numbers below 1e-308, of which encoder and decoder make
//! none from messages of a sensible size), AVX-512 (valgrind ends at AVX2), WebAssembly (compiled by the browser).

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_constant-time");

/// Where valgrind loads the dynamic linker, whose start-up reads random bytes.
const LINKER: std::ops::Range<u64> = 0x0400_0000..0x0480_0000;

/// The instructions and the data accesses of one run, in order, those of the dynamic linker left out.
fn trace(work: &str, secret: u8, message: u8) -> Vec<String> {
    let mut child = Command::new("valgrind")
        .args([
            "--tool=lackey",
            "--trace-mem=yes",
            "--basic-counts=no",
            "--quiet",
            // Its pipes carry the process id in their names, which the C library's start-up reads in /proc/self/maps.
            "--vgdb=no",
        ])
        .args([PROGRAM, work, &secret.to_string(), &message.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut lines, mut linking) = (Vec::new(), true);
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(instruction) = line.strip_prefix("I  ") {
            let address = instruction.split(',').next().unwrap();
            linking = LINKER.contains(&u64::from_str_radix(address, 16).unwrap());
        }
        if !linking {
            lines.push(line);
        }
    }
    assert!(
        child.wait().unwrap().success(),
        "{work} failed under valgrind"
    );
    assert!(
        lines.len() > 100_000,
        "{work}: a trace of {} lines",
        lines.len()
    );
    lines
}

fn first_difference(work: &str, first: (u8, u8), second: (u8, u8)) -> Option<String> {
    let (a, b) = (
        trace(work, first.0, first.1),
        trace(work, second.0, second.1),
    );
    let at = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i))?;
    let instruction = a[..at.min(a.len())]
        .iter()
        .rev()
        .find(|line| line.starts_with('I'));
    Some(format!(
        "{work}: line {at} of {} and {}: {:?} against {:?}, after {instruction:?}",
        a.len(),
        b.len(),
        a.get(at),
        b.get(at)
    ))
}

#[test]
#[ignore = "a minute, and needs valgrind: run by `just test-long`"]
fn no_instruction_and_no_address_depends_on_a_secret() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: no valgrind");
        return;
    }
    for (work, first, second) in [
        ("keys", (1, 1), (2, 1)),
        ("keys", (3, 1), (4, 1)),
        ("ephemeral", (1, 1), (2, 1)),
        ("ephemeral", (3, 1), (4, 1)),
        ("encrypt", (1, 1), (2, 1)),
        ("encrypt", (1, 1), (1, 2)),
        ("encrypt", (1, 3), (1, 7)),
        ("decrypt", (1, 1), (2, 1)),
        ("convolve", (1, 1), (1, 2)),
        ("convolve", (1, 3), (1, 7)),
    ] {
        assert_eq!(first_difference(work, first, second), None);
    }
    for (work, second) in [("lookup", (3, 1)), ("branch", (1, 3))] {
        let found = first_difference(work, (1, 1), second);
        assert!(found.is_some(), "the {work} went unnoticed");
    }
}
