#![doc = include_str!("../README.md")]

pub mod check;
pub mod container;
pub mod events;
pub mod hex;
pub mod layout;
pub mod limits;
pub mod manifest;
pub mod measured;
pub mod problem;
mod task;

pub use ckks;
