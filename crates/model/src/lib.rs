#![doc = include_str!("../README.md")]

pub mod image;
pub mod labels;
pub mod lm;
pub mod vit;

mod block;
mod config;
mod error;
mod files;
mod tensors;
mod top_k;

pub use block::{Block, Linear, Point, Sigma};
pub use config::{BlockRanges, Task};
pub use error::ModelError;
pub use lm::{Embedding, Lm};
pub use top_k::top_k;
pub use vit::{Preprocessing, Vit};
