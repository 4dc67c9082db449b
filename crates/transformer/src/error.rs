//! Why a model cannot be evaluated under encryption, or an evaluation stopped.

use circuits::{CircuitError, ckks::ParametersError};

/// A model or an evaluation is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum TransformerError {
    /// The packing does not take this architecture.
    #[error("the packing needs {0}")]
    Architecture(&'static str),
    /// The parameters have too few slots or levels.
    #[error("the model needs {needed} {what}, the parameters have {found}")]
    Parameters {
        /// Slots or levels.
        what: &'static str,
        /// How many the model needs.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// The released parameters are unsound.
    #[error(transparent)]
    Released(#[from] ParametersError),
    /// A circuit stopped.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}
