//! Poulpy: programs of their own, which nightly Rust builds once into a folder of the user's cache.

use crate::peers::succeed;
use std::{env, fs, path::PathBuf, process::Command};

const MANIFEST: &str = include_str!("../peers/poulpy/manifest.toml");
const ROWS: &str = include_str!("../peers/poulpy/main.rs");
const BOOTSTRAPPING: &str = include_str!("../peers/poulpy/bootstrapping.rs");

/// What one of the programs prints, or why there is nothing.
pub(crate) fn measure(program: &str, argument: &str) -> Result<String, String> {
    let backend = backend().ok_or("its fast backends are for AVX-512 IFMA and for AVX2")?;
    let folder = cache()?.join("cipherformer/poulpy");
    write(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut build = Command::new("rustup");
    build
        .args(["run", "nightly", "cargo", "build", "--quiet", "--release"])
        .args(["--features", backend])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTFLAGS", "-C target-cpu=native");
    succeed(&mut build)?;
    succeed(Command::new(folder.join("target/release").join(program)).arg(argument))
}

fn write(folder: &std::path::Path) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    for (name, text) in [
        ("Cargo.toml", MANIFEST),
        ("src/main.rs", ROWS),
        ("src/bootstrapping.rs", BOOTSTRAPPING),
    ] {
        let path = folder.join(name);
        // An equal file keeps its time, so that nothing is built again.
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

fn cache() -> Result<PathBuf, String> {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    cache.or_else(home).ok_or("no home folder".into())
}

/// The feature of the program, which is named as the processor's.
#[cfg(target_arch = "x86_64")]
fn backend() -> Option<&'static str> {
    if std::is_x86_feature_detected!("avx512ifma") {
        return Some("avx512ifma");
    }
    std::is_x86_feature_detected!("avx2").then_some("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn backend() -> Option<&'static str> {
    None
}
