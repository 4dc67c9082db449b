//! `cipherformer-wasm-bindgen INPUT.wasm OUTPUT_FOLDER`: the ES module through which a browser calls the wasm client.
//!
//! The `wasm-bindgen` command must match the library to the version, and building it from crates.io takes minutes;
//! this binary has the version of the workspace's lock file and nothing that we do not use.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(input), Some(output), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: cipherformer-wasm-bindgen INPUT.wasm OUTPUT_FOLDER");
        return ExitCode::from(2);
    };
    let written = Bindgen::new()
        .input_path(input)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).generate(output));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer-wasm-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
