//! Encoded vectors, kept as integer coefficients so that one object serves every level.

use crate::{Complex64, Parameters};

/// A polynomial with integer coefficients that stands for `slots * scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Plaintext {
    pub(crate) coefficients: Vec<i64>,
    pub(crate) scale: f64,
}

/// Coefficients are reduced by [`ring::Ring::reduce_signed`], which takes them below this bound.
const MAX_COEFFICIENT: f64 = (1u64 << 51) as f64;

impl Plaintext {
    /// Encodes slots at a scale; `None` when a coefficient is not finite or not below 2^51.
    ///
    /// # Panics
    /// When the number of slots is no power of two up to `N/2`.
    pub fn encode(parameters: &Parameters, slots: &[Complex64], scale: f64) -> Option<Self> {
        let coefficients = parameters
            .encoder()
            .coefficients(slots)
            .into_iter()
            .map(|c| {
                let scaled = (c * scale).round();
                (scaled.abs() < MAX_COEFFICIENT).then_some(scaled as i64)
            })
            .collect::<Option<_>>()?;
        Some(Self {
            coefficients,
            scale,
        })
    }

    /// The scale it was encoded at.
    pub fn scale(&self) -> f64 {
        self.scale
    }
}
