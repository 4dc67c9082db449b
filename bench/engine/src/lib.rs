//! The `standard` benchmark of the engine: fixed parameter sets, every operation of the scheme, by level.

mod bootstrapping;
mod operations;
mod peers;
mod poulpy;
mod refresh_peers;
mod sets;
mod timing;

use ckks::Parameters;
use std::error::Error;
use timing::Table;
pub use timing::thread_milliseconds;

/// Prints the tables of one set, or of all and of other libraries.
///
/// # Errors
/// When a set cannot be made.
pub fn run(only: Option<&str>) -> Result<(), Box<dyn Error>> {
    let table = Table::new()?;
    for parameters in sets::all()? {
        if only.is_none_or(|name| name == parameters.name()) {
            sets::describe(&parameters);
            operations::run(&parameters, &table)?;
        }
    }
    if only.is_none() {
        peers::run(&table)?;
    }
    Ok(())
}

/// Prints what a refresh takes, with different keys and beside other libraries.
///
/// # Errors
/// When a set cannot be made.
pub fn bootstrapping() -> Result<(), Box<dyn Error>> {
    let parameters = Parameters::n16_bootstrapping()?;
    sets::describe(&parameters);
    let ours = bootstrapping::run(&parameters)?;
    refresh_peers::run(&ours)
}
