#![doc = include_str!("../README.md")]

mod ciphertext;
#[cfg(feature = "secret-key")]
mod decryptor;
mod encapsulation;
mod encoder;
#[cfg(feature = "secret-key")]
mod encryptor;
mod error;
mod evaluator;
mod keys;
#[cfg(all(feature = "secret-key", feature = "insecure-parameters"))]
mod known_answer;
mod noise;
mod parameters;
mod plaintext;
mod roots;
mod security;
mod sets;
mod slot_bound;
mod subring;
mod wire;

pub use ciphertext::{Ciphertext, CiphertextSpec, SeededCiphertext};
#[cfg(feature = "secret-key")]
pub use decryptor::Decryptor;
pub use encapsulation::Encapsulation;
pub use encoder::Encoder;
#[cfg(feature = "secret-key")]
pub use encryptor::Encryptor;
pub use error::{EvaluatorError, ParametersError, WireError};
pub use evaluator::{Encapsulated, Evaluator, Hoisted};
pub use keys::{EvaluationKeySet, KeyKind, KeySpec, SeededKey};
#[cfg(feature = "secret-key")]
pub use keys::{KeyGenerator, SecretKey};
pub use num_complex::Complex64;
pub use parameters::{Parameters, ParametersLiteral};
pub use plaintext::Plaintext;
pub use ring::{Seed, galois_element_of_rotation};
pub use security::{EPHEMERAL_SOURCE, SECURITY_SOURCE, ephemeral_bound, security_bound};
pub use slot_bound::SlotBound;
pub use subring::Subring;
