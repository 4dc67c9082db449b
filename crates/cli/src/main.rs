//! `cipherformer`: see the crate's documentation.

use std::{io, process::ExitCode};

use clap::Parser;
use cli::{Arguments, run};

fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipherformer: {}", one_line(&error.to_string()));
            ExitCode::FAILURE
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
