//! What every model is: one circuit from a query to a result.

use crate::{Packing, SlotLayout};
use circuits::ckks::Subring;
use circuits::{CircuitError, Evaluator};

/// A model as a circuit, its weights as linear transforms over plaintexts.
pub trait Network {
    /// What the weights are encoded as.
    type Plaintext;

    /// The packing.
    fn packing(&self) -> Packing;

    /// The level that a query needs.
    fn query_level(&self) -> usize;

    /// Where the query's message lives. [`Network::evaluate`] takes the trace, so that a scale of half the parameters' is asked for
    /// where nothing else undoes the doubling.
    fn query_subring(&self) -> Subring;

    /// The scale of a query, as a multiple of the parameters' scale.
    fn query_scale(&self) -> f64;

    /// Where the query holds its values.
    fn query_layout(&self) -> SlotLayout;

    /// Where the result holds its values.
    fn result_layout(&self) -> SlotLayout;

    /// The result.
    fn evaluate<E: Evaluator<Plaintext = Self::Plaintext>>(
        &self,
        evaluator: &E,
        query: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError>;
}

/// A power of two that bounds values of which the largest over validation data is known, with room for twice that: what a refresh asks for.
pub(crate) fn bound(largest: f64) -> f64 {
    (2.0 * largest.max(0.5)).log2().ceil().exp2()
}

/// Level of a result: with a base of two primes it keeps a scale of 2^30 and room for its size.
pub(crate) const RESULT_LEVEL: usize = 1;
