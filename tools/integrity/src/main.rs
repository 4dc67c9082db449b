//! `cipherformer-integrity pkg WEB`: writes `WEB/pkg/integrity.js`, by which the page's workers check the WebAssembly that they load.
//!
//! `cipherformer-integrity page WEB OUTPUT`: the page as it is deployed: a copy whose every script, style and module is named with
//! its digest, and `sha256sums.txt`, the list of all its files.

mod digest;
mod files;
mod imports;
mod index;
mod page;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let written = match &arguments[..] {
        [command, web] if command == "pkg" => page::write_digests(Path::new(web), &["pkg"]),
        [command, web, output] if command == "page" => {
            page::build(Path::new(web), Path::new(output))
        }
        _ => {
            eprintln!("usage: cipherformer-integrity pkg WEB | page WEB OUTPUT");
            return ExitCode::from(2);
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer-integrity: {error}");
            ExitCode::FAILURE
        }
    }
}
