//! The real server, as `cargo build` left it.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::workspace;

/// A running server. It ends with this value.
#[derive(Debug)]
pub struct Server {
    process: Child,
    address: SocketAddr,
    web: PathBuf,
    // Removed after the server has ended.
    keys: TempDir,
}

impl Server {
    /// Starts the server on a free port, with this repository's models and the page as it is deployed, and waits until it says that it
    /// is ready.
    pub fn start() -> io::Result<Self> {
        let page = page();
        if page.is_dir() {
            return Self::serving(&page);
        }
        let message = format!("no {}: run tools/page.sh", page.display());
        Err(io::Error::new(io::ErrorKind::NotFound, message))
    }

    /// As [`Server::start`], with the page in the folder `web`.
    pub fn serving(web: &Path) -> io::Result<Self> {
        let keys = tempfile::tempdir()?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let process = launch(address, web, keys.path())?;
        let mut server = Self {
            process,
            address,
            web: web.to_owned(),
            keys,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Ends it as a power cut would, and starts it again with the same keys at the same address.
    pub fn kill_and_restart(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        self.process = launch(self.address, &self.web, self.keys.path())?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let output = self.process.stdout.take();
        let mut lines =
            BufReader::new(output.ok_or_else(|| io::Error::other("the server has no output"))?)
                .lines();
        for line in lines.by_ref() {
            if let Some(address) = address(&line?) {
                self.address = address;
                // A full pipe would stop the server at its next line.
                thread::spawn(move || lines.for_each(drop));
                return Ok(());
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

/// The page as `tools/page.sh` left it.
pub fn page() -> PathBuf {
    workspace::root().join("target/page")
}

fn launch(address: SocketAddr, web: &Path, keys: &Path) -> io::Result<Child> {
    Command::new(binary()?)
        .current_dir(workspace::root())
        .args(["--address", &address.to_string()])
        .args(["--models", "models", "--web"])
        .arg(web)
        .arg("--key-store")
        .arg(keys)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
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
