#![doc = include_str!("../README.md")]

pub mod axe;
pub mod chromium;
pub mod direct;
pub mod http;
pub mod proxy;
pub mod scan;
pub mod server;
pub mod visit;
pub mod workspace;
