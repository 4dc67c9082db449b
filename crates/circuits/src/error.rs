//! Why a circuit stops, and where.

use ckks::EvaluatorError;

/// A circuit stopped.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum CircuitError {
    /// An operation was refused.
    #[error("{layer}, {operation}: {source}")]
    Operation {
        /// The layer, as the circuit named it.
        layer: String,
        /// The operation.
        operation: &'static str,
        /// The reason.
        source: EvaluatorError,
    },
    /// A plaintext does not fit its scale.
    #[error("{layer}: a weight is not finite or too large for scale 2^{log_scale:.1}")]
    Encoding {
        /// The layer, as the circuit named it.
        layer: String,
        /// log2 of the scale.
        log_scale: f64,
    },
    /// A bootstrapping that does not fit the parameters.
    #[error("bootstrapping: {0}")]
    Bootstrapping(&'static str),
    /// A sum of no terms.
    #[error("{0}: a sum of no terms")]
    NoTerms(&'static str),
    /// The observer asked to stop.
    #[error("cancelled")]
    Cancelled,
}
