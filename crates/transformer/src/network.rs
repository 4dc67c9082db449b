//! The whole circuit: embedding, blocks, head.

use crate::{Packing, TransformerError, block::Block, embedding::Embedding};
use circuits::{CircuitError, Evaluator};
use model::Vit;

/// The vision transformer as a circuit, its weights as linear transforms over plaintexts `P`.
pub struct Network<P> {
    packing: Packing,
    embedding: Embedding<P>,
    blocks: Vec<Block<P>>,
}

/// Levels of the embedding, and of one block.
const EMBEDDING_LEVELS: usize = 1;
const BLOCK_LEVELS: usize = 6;

/// Level of the result: with a base of two primes the logits keep a scale of 2^30 and room for their size.
pub(crate) const RESULT_LEVEL: usize = 1;

impl<P> Network<P> {
    /// The circuit of a model.
    pub fn new(vit: &Vit) -> Result<Self, TransformerError> {
        let packing = Packing::new(&vit.config)?;
        let last = vit.blocks.len() - 1;
        let blocks = vit
            .blocks
            .iter()
            .enumerate()
            .map(|(i, block)| Block::new(packing, block, (i == last).then_some(&vit.head)))
            .collect();
        Ok(Self {
            packing,
            embedding: Embedding::new(packing, &vit.embed),
            blocks,
        })
    }

    /// The packing.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// The level that a query needs.
    pub fn query_level(&self) -> usize {
        EMBEDDING_LEVELS + BLOCK_LEVELS * self.blocks.len() + RESULT_LEVEL
    }

    /// Class scores from a query: one ciphertext in, one out.
    pub fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        query: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let embedded = self.embedding.evaluate(evaluator, query)?;
        self.blocks
            .iter()
            .enumerate()
            .try_fold(embedded, |x, (i, block)| {
                block.evaluate(evaluator, i + 1, &x)
            })
    }
}
