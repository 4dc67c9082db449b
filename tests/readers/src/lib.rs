#![doc = include_str!("../README.md")]

mod corpus;
mod engine;
mod manifests;
mod model_files;
mod mutate;
mod wire;

pub use corpus::{Sound, folder, sound};
pub use mutate::Mutator;

/// Reads bytes, and panics where a reader does something that it must not.
pub type Reader = fn(&[u8]);

/// A reader by the name of its corpus folder and fuzz target.
pub const READERS: [(&str, Reader); 12] = [
    ("container", wire::container),
    ("manifest", wire::manifest),
    ("requests", wire::requests),
    ("events", wire::events),
    ("specifications", engine::specifications),
    ("key", engine::key),
    ("ciphertext", engine::ciphertext),
    ("config", model_files::config),
    ("safetensors", model_files::safetensors),
    ("labels", model_files::labels),
    ("image", model_files::image),
    ("tokenizer", model_files::tokenizer),
];

/// The reader of a name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn reader(name: &str) -> Reader {
    let found = READERS.iter().find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("no reader is named {name}"))
        .1
}
