//! What was measured through encryption: a file beside a model's weights, and a member of its manifest.

use serde::{Deserialize, Serialize};

use crate::{
    hex::Digest,
    manifest::{Accuracy, Manifest},
};

/// Name of the file in a model's folder that holds a [`Record`].
pub const RECORD: &str = "encrypted.json";

/// A model through encryption beside the same model in the clear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Encrypted {
    /// Images or prompts measured.
    pub inputs: u64,
    /// Those of them whose best choice is the clear model's.
    pub agree: u64,
    /// Largest difference of a probability among the clear model's ten best.
    pub largest_difference: f64,
    /// Accuracy through encryption on these inputs, of a model that classifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Accuracy>,
}

/// Figures and what they are of: they say nothing of other weights or of other encryption parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The manifest's `weights`.
    pub weights: Digest,
    /// Name of the encryption parameters.
    pub parameters: String,
    /// The figures.
    pub encrypted: Encrypted,
}

impl Record {
    /// Figures that were measured of the model that `manifest` is about.
    #[must_use]
    pub fn of(manifest: &Manifest, encrypted: Encrypted) -> Self {
        Self {
            weights: manifest.weights,
            parameters: manifest.parameters.name.clone(),
            encrypted,
        }
    }

    /// Whether they are figures of the model that `manifest` is about.
    #[must_use]
    pub fn is_of(&self, manifest: &Manifest) -> bool {
        self.weights == manifest.weights && self.parameters == manifest.parameters.name
    }
}
