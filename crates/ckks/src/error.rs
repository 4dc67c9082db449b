//! What can go wrong, by who is to act on it.

use crate::KeySpec;

/// Why parameters are refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum ParametersError {
    /// The modulus is too large for 128 bits of security.
    #[error(
        "log2(QP) = {log_qp:.1} exceeds the bound of {bound} bits for 128-bit security at N = 2^{log_n} ({source_name})"
    )]
    Insecure {
        /// log2 of the ring degree.
        log_n: u32,
        /// log2 of the product of all primes.
        log_qp: f64,
        /// The largest value allowed.
        bound: u32,
        /// Where the bound stands.
        source_name: &'static str,
    },
    /// No bound is published for this ring degree.
    #[error("no published 128-bit bound for N = 2^{0} is known here")]
    NoBound(u32),
    /// The ring does not exist.
    #[error(transparent)]
    Ring(#[from] ring::RingError),
    /// Numbers that do not fit together.
    #[error("{0}")]
    Shape(&'static str),
    /// No set of this name.
    #[error("no parameter set is named {0:?}")]
    Unknown(String),
}

/// Why bytes are no object of the expected kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    /// Another length than the specification gives.
    #[error("{found} bytes where the specification gives {expected}")]
    Length {
        /// Bytes that the specification gives.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// A residue is not below its prime, or padding bits are set.
    #[error("a residue is out of range")]
    Residue,
    /// The specification does not fit the parameters.
    #[error("the specification does not fit the parameters")]
    Specification,
}

/// Why an operation on ciphertexts is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum EvaluatorError {
    /// No level is left to rescale into.
    #[error("no level is left: at level {level}, {needed} needed")]
    LevelExhausted {
        /// The level of the operand.
        level: usize,
        /// The level the operation needs.
        needed: usize,
    },
    /// A sum of ciphertexts or plaintexts of different scales.
    #[error("scales differ: 2^{:.6} and 2^{:.6}", .0.log2(), .1.log2())]
    ScaleMismatch(f64, f64),
    /// The scale would leave no room for the message.
    #[error("scale 2^{:.1} does not fit the modulus of level {level}", .scale.log2())]
    ScaleOverflow {
        /// The scale.
        scale: f64,
        /// The level.
        level: usize,
    },
    /// The operation needs two-part ciphertexts, or a three-part one.
    #[error("a ciphertext of {found} parts where {expected} are needed")]
    Degree {
        /// Parts the operation takes.
        expected: usize,
        /// Parts it got.
        found: usize,
    },
    /// The key set lacks a key.
    #[error("the key {} is missing or made for too low a level (level {} needed)", .0.name(), .0.level)]
    MissingKey(KeySpec),
    /// A constant is not finite or too large for the scale.
    #[error("the constant {0:e} is not finite or too large")]
    Constant(f64),
    /// Only at the base level may a ciphertext pass to the ephemeral secret, and only in a set that has one.
    #[error("at level {level} a ciphertext does not pass to an ephemeral secret")]
    NotAtBase {
        /// The level of the operand.
        level: usize,
    },
    /// A sum of no terms or of more than 16.
    #[error("a sum of {0} terms; between 1 and 16 are taken")]
    Terms(usize),
}
