//! Other libraries in the same run, where they are installed; otherwise a line says which is missing.

use std::process::Command;

/// What every program begins with.
const ROWS: &str = include_str!("../peers/rows.py");

/// Python programs that print rows of a table, and how to get what they need.
const PEERS: [(&str, &str, &str); 2] = [
    (
        "OpenFHE",
        include_str!("../peers/openfhe_rows.py"),
        "pip install openfhe==1.6.1.0.22.4 under CPython 3.10",
    ),
    (
        "TenSEAL",
        include_str!("../peers/tenseal_rows.py"),
        "pip install tenseal",
    ),
];

/// `$PEERS_PYTHON`, or `python3`, runs them, on one thread as our column of thread time.
pub(crate) fn run() {
    let python = std::env::var("PEERS_PYTHON").unwrap_or_else(|_| "python3".into());
    println!("| peer | operation | parameters | thread ms, median |\n|---|---|---|---|");
    for (name, program, install) in PEERS {
        let output = Command::new(&python)
            .args(["-c", &[ROWS, program].concat()])
            .env("OMP_NUM_THREADS", "1")
            .output();
        match output {
            Ok(output) if output.status.success() => {
                print!("{}", String::from_utf8_lossy(&output.stdout));
            }
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                let reason = text.lines().last().unwrap_or("no reason given");
                println!(
                    "| {name} | skipped: {reason} ({install}; $PEERS_PYTHON names the interpreter) | | |"
                );
            }
            Err(error) => println!("| {name} | skipped: {python}: {error} | | |"),
        }
    }
    println!(
        "| Poulpy, Lattigo, node-seal | skipped: they need nightly Rust, Go and Node 22 outside of this workspace | | |\n"
    );
}
