#![doc = include_str!("../README.md")]

mod bootstrapping;
mod constant;
mod cost;
mod error;
mod evaluator;
mod linear_transform;
mod placement;
mod polynomial;
mod pool;
mod reading;
mod shape;

// Tests inside the crate share theirs with those outside, which name it.
#[cfg(test)]
extern crate self as circuits;

pub use bootstrapping::{Bootstrapping, BootstrappingSettings};
/// The scheme that circuits are evaluated in, for the crates above.
pub use ckks;
pub use constant::Constant;
pub use cost::{Operation, OperationKind};
pub use error::CircuitError;
pub use evaluator::Evaluator;
pub use linear_transform::{Input, LinearTransform, Steps, product, product_at, rotations};
pub use placement::{Placement, Refreshing, Survey};
pub use polynomial::Chebyshev;
pub use pool::in_pool;
pub use reading::{
    CkksEncoding, Cleartext, CleartextCiphertext, Encrypted, LayerCost, NoEncoding, Observer,
    PlaintextEncoder, Plan, Planner, Room,
};
pub use shape::Shape;
