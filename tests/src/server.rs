//! The real server, as `cargo build` left it.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::workspace;

/// A running server. It ends with this value.
#[derive(Debug)]
pub struct Server {
    process: Child,
    address: SocketAddr,
    // Removed after the server has ended.
    _keys: TempDir,
}

impl Server {
    /// Starts the server on a free port, with this repository's models and page, and waits until it says that it is ready.
    pub fn start() -> io::Result<Self> {
        let root = workspace::root();
        let keys = tempfile::tempdir()?;
        let mut process = Command::new(binary()?)
            .current_dir(&root)
            .args([
                "--address",
                "127.0.0.1:0",
                "--models",
                "models",
                "--web",
                "web",
            ])
            .arg("--key-store")
            .arg(keys.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        let mut server = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            _keys: keys,
        };
        let mut lines =
            BufReader::new(output.ok_or_else(|| io::Error::other("the server has no output"))?)
                .lines();
        for line in lines.by_ref() {
            if let Some(address) = address(&line?) {
                server.address = address;
                // A full pipe would stop the server at its next line.
                thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
        }
        Err(io::Error::other(
            "the server ended before it printed its address",
        ))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.split(['/', ' ']).next()?.parse().ok()
}

/// The server of this program's own profile, which `just test` and `just bench` build first.
fn binary() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // Programs lie in the profile's folder, tests one deeper.
    let mut places = program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("cipherformer-server"));
    places.find(|path| path.is_file()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "no cipherformer-server beside this program: run `just e2e`",
        )
    })
}
