#![doc = include_str!("../README.md")]

mod classify;
mod compare;
mod complete;
mod error;
mod prompt;
mod sampler;
mod session;

pub use ckks::Seed;
pub use classify::{Ranked, classify};
pub use compare::{Comparison, compare};
pub use error::ClientError;
pub use model;
pub use model::image::Rgb32;
pub use prompt::Prompt;
pub use protocol;
pub use protocol::check::Trust;
pub use sampler::{Alternative, Sampler, alternatives};
pub use session::Session;

/// BLAKE3 of some bytes in hexadecimal, as the `x-part-blake3` header wants it.
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
