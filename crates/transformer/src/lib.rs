#![doc = include_str!("../README.md")]

mod affine;
mod attention;
mod block;
mod embedding;
mod encrypted_model;
mod error;
mod last_attention;
mod layout;
mod lm;
mod matrix;
mod mlp;
mod network;
mod norm;
mod packing;
mod padding;
mod released;
mod vit;

pub use circuits::ckks;
pub use encrypted_model::{EncryptedModel, ModelPlan, Progress};
pub use error::TransformerError;
pub use layout::{Axis, SlotLayout};
pub use lm::LmNetwork;
pub use network::Network;
pub use packing::Packing;
pub use released::released_parameters;
pub use vit::VitNetwork;
