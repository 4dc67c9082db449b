#![doc = include_str!("../README.md")]

mod body;
pub mod engine;
mod error;
mod headers;
mod job;
mod jobs;
mod key_set;
mod key_store;
pub mod models;
mod quota;
mod routes;
mod server;

pub use jobs::JobLimits;
pub use key_store::KeyLimits;
pub use server::{Settings, State, serve};
