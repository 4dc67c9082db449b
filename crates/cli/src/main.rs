//! `cipherformer`: see the crate's documentation.

use std::{
    io,
    process::{self, ExitCode},
};

use clap::Parser;
use cli::{Arguments, CliError, Stop, run};

/// What shells report for a program that the keyboard stopped.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stop = Stop::default();
    let request = stop.clone();
    let handled = ctrlc::set_handler(move || {
        if request.request() {
            process::exit(STOPPED.into());
        }
    });
    if let Err(error) = handled {
        eprintln!("cipherformer: Ctrl-C will not tell the server: {error}");
    }
    match run(&arguments, &mut io::stdout().lock(), &stop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer: {}", one_line(&error.to_string()));
            match error {
                CliError::Stopped => STOPPED.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

// Whatever a server or a parser put into a message, it stays one line and moves no cursor.
fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
