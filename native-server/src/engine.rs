//! What the server needs from an encrypted model; routes, key store and jobs know nothing else about it.

use std::{ops::ControlFlow, sync::Arc};

use protocol::{manifest::Manifest, problem::Problem};

/// A model ready to be evaluated.
pub trait Engine: Send + Sync {
    /// The model as offered to clients.
    fn manifest(&self) -> &Manifest;

    /// Digest that containers for this model carry.
    fn parameter_digest(&self) -> [u8; 32];

    /// Content of a file for download: those that the manifest names, and the clear model.
    fn file(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    /// Memory that a key of the manifest takes once it is prepared.
    fn prepared_bytes(&self, key: usize) -> u64;

    /// An empty place for the keys of one client.
    fn open(self: Arc<Self>) -> Box<dyn KeyRing>;

    /// Whether the payload of a query container can be evaluated.
    ///
    /// # Errors
    /// The problem to answer with.
    fn check_query(&self, payload: &[u8]) -> Result<(), Problem>;
}

/// Called between ciphertext operations with the layer at work and the share of work done;
/// [`ControlFlow::Break`] stops the evaluation.
pub type Watch<'a> = &'a mut (dyn FnMut(&str, f64) -> ControlFlow<()> + Send);

/// The prepared keys of one client.
pub trait KeyRing: Send + Sync {
    /// Prepares and keeps a key of the manifest, from the payload of its container.
    ///
    /// # Errors
    /// The problem to answer with; nothing is kept.
    fn insert(&mut self, key: usize, payload: &[u8]) -> Result<(), Problem>;

    /// Evaluates the model; returns the payload of the result container.
    ///
    /// # Errors
    /// Why there is no result.
    fn evaluate(&self, query: &[u8], watch: Watch<'_>) -> Result<Vec<u8>, Stopped>;
}

/// Why an evaluation ended without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The watch asked for it.
    Cancelled,
    /// The evaluator failed, with its own words.
    Failed(String),
}
