#![doc = include_str!("../README.md")]

pub mod image;
pub mod labels;

mod config;
mod error;
mod load;
mod small;
mod top_k;
mod vit;

pub use config::{Accuracy, Architecture, BlockRanges, Config, Preprocessing, Ranges};
pub use error::ModelError;
pub use top_k::top_k;
pub use vit::{Block, Embed, Linear, Point, Vit};
