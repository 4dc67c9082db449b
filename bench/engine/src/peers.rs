//! Other libraries in the same run, where they install; otherwise a line says which is missing.

use crate::{poulpy, timing::Table};
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What every program begins with.
const ROWS: &str = include_str!("../peers/rows.py");

/// A Python package and the program that measures it.
pub(crate) struct Peer {
    name: &'static str,
    module: &'static str,
    package: &'static str,
    program: &'static str,
}

pub(crate) const OPENFHE: Peer = Peer {
    name: "OpenFHE",
    module: "openfhe",
    package: "openfhe==1.6.1.0.22.4",
    program: include_str!("../peers/openfhe_rows.py"),
};

const PEERS: [Peer; 2] = [
    OPENFHE,
    Peer {
        name: "TenSEAL",
        module: "tenseal",
        package: "tenseal",
        program: include_str!("../peers/tenseal_rows.py"),
    },
];

/// A line of a program's output.
struct Row {
    library: String,
    log_n: u32,
    log_q: f64,
    operation: String,
    runs: usize,
    thread: f64,
    wall: f64,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            library: next()?.to_owned(),
            log_n: next()?.parse().ok()?,
            log_q: next()?.parse().ok()?,
            operation: next()?.to_owned(),
            runs: next()?.parse().ok()?,
            thread: next()?.parse().ok()?,
            wall: next()?.parse().ok()?,
        })
    }

    /// Beside the row of ours that comes nearest to its modulus.
    fn print(&self, table: &Table) {
        let ours = table.nearest(&self.operation, self.log_n, self.log_q);
        let (log_q, thread, ratio) = ours.map_or(Default::default(), |ours| {
            (
                format!("{:.0}", ours.log_q),
                format!("{:.3}", ours.thread),
                format!("{:.2}", ours.thread / self.thread),
            )
        });
        println!(
            "| {} | {} | 2^{} | {:.0} | {} | {:.3} | {:.3} | {log_q} | {thread} | {ratio} |",
            self.operation, self.library, self.log_n, self.log_q, self.runs, self.thread, self.wall,
        );
    }
}

/// Measures the peers on one thread and prints them beside our rows. `$PEERS_PYTHON` names a Python with their packages, or one to make an
/// environment with; the wheels of OpenFHE want CPython 3.10.
pub(crate) fn run(table: &Table) -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("cipherformer-peers-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    println!(
        "| operation | peer | N | log2 Q | runs | thread ms | wall ms | ours: log2 Q | thread ms | ratio |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    let python = PEERS.iter().map(|peer| (peer.name, measure(peer, &folder)));
    for (name, measured) in python.chain([("Poulpy", poulpy::measure("poulpy-rows", ""))]) {
        match measured {
            Ok(lines) => lines
                .lines()
                .filter_map(Row::read)
                .for_each(|row| row.print(table)),
            Err(reason) => println!("| skipped | {name}: {reason} | | | | | | | | |"),
        }
    }
    println!("| skipped | Lattigo: there is no program in Go here | | | | | | | | |\n");
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn measure(peer: &Peer, folder: &Path) -> Result<String, String> {
    let python = interpreter(peer, folder)?;
    let program = [ROWS, peer.program].concat();
    let mut command = Command::new(python);
    command.args(["-c", &program]).env("OMP_NUM_THREADS", "1");
    succeed(&mut command)
}

/// A Python that has the peer's package, in an environment made for it where the given one has it not.
pub(crate) fn interpreter(peer: &Peer, folder: &Path) -> Result<PathBuf, String> {
    let given = given()?;
    let has = |python: &Path| {
        let import = format!("import {}", peer.module);
        succeed(Command::new(python).args(["-c", &import])).is_ok()
    };
    if has(&given) {
        return Ok(given);
    }
    let made = folder.join("bin/python");
    if !made.is_file() {
        succeed(Command::new(&given).args(["-m", "venv"]).arg(folder))?;
    }
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    succeed(Command::new(&made).args(install).arg(peer.package))?;
    Ok(made)
}

/// The Python that `$PEERS_PYTHON` names, or CPython 3.10, which a pyenv has to be asked for by its version.
fn given() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("PEERS_PYTHON") {
        return Ok(named.into());
    }
    let mut python = Command::new("python3.10");
    python.args(["-c", "import sys; print(sys.executable)"]);
    let path = succeed(python.env("PYENV_VERSION", "3.10"));
    let path = path.map_err(|error| format!("no Python 3.10, $PEERS_PYTHON can name one: {error}"));
    Ok(path?.trim().into())
}

/// What a command prints, or the last line of its complaints.
pub(crate) fn succeed(command: &mut Command) -> Result<String, String> {
    let named = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{named}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    Err(last.unwrap_or(&named).to_owned())
}
