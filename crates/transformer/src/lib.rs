#![doc = include_str!("../README.md")]

mod attention;
mod block;
mod embedding;
mod encrypted_vit;
mod error;
mod layout;
mod matrix;
mod mlp;
mod network;
mod packing;

pub use circuits::ckks;
pub use encrypted_vit::{EncryptedVit, Progress, VitPlan};
pub use error::TransformerError;
pub use layout::{Axis, SlotLayout};
pub use network::Network;
pub use packing::Packing;
