//! The three readings of a circuit.

mod cleartext;
mod encrypted;
mod planner;

pub use cleartext::{Cleartext, CleartextCiphertext};
pub use encrypted::{Encrypted, Observer};
pub use planner::{CkksEncoding, LayerCost, NoEncoding, PlaintextEncoder, Plan, Planner, Room};
