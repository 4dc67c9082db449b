#![doc = include_str!("../README.md")]

pub mod config;
pub mod engine;
mod http;
mod jobs;
mod keys;
pub mod models;
mod routes;
mod server;
mod shutdown;
pub mod telemetry;

pub use http::rate::RateLimits;
pub use jobs::JobLimits;
pub use keys::{KeyLimits, KeyPlace, PlaceError};
pub use routes::{ROUTES, document};
pub use server::{Patience, Settings, State, serve};
