//! The real server, as `cargo build` left it.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::workspace;

/// A running server. It ends with this value.
#[derive(Debug)]
pub struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts the server on a free port, with this repository's models and page, and waits until it says that it is ready.
    pub fn start() -> io::Result<Self> {
        let root = workspace::root();
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
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        let mut server = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
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

/// The server beside this test's own program: one profile for both, and `just test` builds it first.
fn binary() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let profile = program
        .ancestors()
        .nth(2)
        .ok_or_else(|| io::Error::other("the test lies in no target folder"))?;
    let binary = profile.join("cipherformer-server");
    if binary.is_file() {
        Ok(binary)
    } else {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("no {}: run `just e2e`", binary.display()),
        ))
    }
}
