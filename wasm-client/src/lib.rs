#![doc = include_str!("../README.md")]

mod answer;
mod comparison;
mod next_token;
mod session;

pub use answer::{Answer, Ranked};
pub use comparison::{Comparison, compare};
pub use next_token::{Alternative, NextToken, Sampling};
pub use session::Session;

use wasm_bindgen::prelude::wasm_bindgen;

/// BLAKE3 of `bytes` in hexadecimal.
#[wasm_bindgen]
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    client::checksum(bytes)
}
