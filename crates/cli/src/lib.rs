#![doc = include_str!("../README.md")]

mod arguments;
mod classify;
mod complete;
mod error;
mod evaluate;
mod http;
mod keys;
mod language;
mod models;
mod progress;
mod remote;
mod report;
mod stop;

pub use arguments::{Arguments, Command};
pub use error::CliError;
pub use report::one_line;
pub use stop::Stop;

use std::io::Write;

/// Runs a command; what it finds goes to `out`, what it does meanwhile to the standard error.
///
/// # Errors
/// A [`CliError`], whose text is one line for a person.
pub fn run(arguments: &Arguments, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    match &arguments.command {
        Command::Classify(command) => classify::run(command, out, stop),
        Command::Complete(command) => complete::run(command, out, stop),
        Command::Models(command) => models::run(command, out, stop),
        Command::Keys(command) => keys::run(command, out, stop),
        Command::Evaluate(command) => evaluate::run(command, out, stop),
    }
}
