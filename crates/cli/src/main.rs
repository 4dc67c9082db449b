//! `cipherformer`: see the crate's documentation.

use std::{
    io,
    process::{self, ExitCode},
};

use clap::Parser;
use cli::{Arguments, CliError, Stop, one_line, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stop = Stop::default();
    let request = stop.clone();
    let handled = ctrlc::set_handler(move || {
        if request.request() {
            process::exit(CliError::Stopped.exit_code().into());
        }
    });
    if let Err(error) = handled {
        eprintln!("cipherformer: Ctrl-C will not tell the server: {error}");
    }
    match run(&arguments, &mut io::stdout().lock(), &stop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer: {}", one_line(&error.to_string()));
            error.exit_code().into()
        }
    }
}
