#![doc = include_str!("../README.md")]

mod answer;
mod session;

pub use answer::{Answer, Ranked};
pub use session::Session;

use wasm_bindgen::prelude::wasm_bindgen;

/// BLAKE3 of `bytes` in hexadecimal.
#[wasm_bindgen]
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    client::checksum(bytes)
}
