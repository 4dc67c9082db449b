//! `cipherformer`: see the crate's documentation.

use std::{io, process::ExitCode};

use clap::Parser;
use cli::{Arguments, run};

fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever a server or a parser put into it.
            let text = error.to_string();
            eprintln!(
                "cipherformer: {}",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            );
            ExitCode::FAILURE
        }
    }
}
