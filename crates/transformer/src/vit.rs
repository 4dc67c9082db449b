//! The vision transformer: embedding, blocks, head.

use crate::{
    Network, Packing, SlotLayout, TransformerError,
    attention::Attention,
    block::{Block, Head},
    embedding::Embedding,
    network::{RESULT_LEVEL, bound},
    padding::padded,
};
use circuits::ckks::Subring;
use circuits::{CircuitError, Evaluator};
use model::{Vit, vit::Architecture};

/// The vision transformer as a circuit.
pub struct VitNetwork<P> {
    packing: Packing,
    shape: Architecture,
    embedding: Embedding<P>,
    blocks: Vec<Block<P, Attention<P>>>,
    /// Of the stream before each block.
    bounds: Vec<f64>,
}

const EMBEDDING_LEVELS: usize = 1;
const BLOCK_LEVELS: usize = 6;

impl<P> VitNetwork<P> {
    /// The circuit of a model, padded with zeros to a power of two of heads and an MLP twice as wide as the stream.
    pub fn new(vit: &Vit) -> Result<Self, TransformerError> {
        let padded = padded(vit);
        let vit = padded.as_ref().unwrap_or(vit);
        let shape = vit.config.architecture;
        let packing = Packing::new(shape.tokens, shape.heads, shape.width, shape.hidden)?;
        if shape.inputs > 2 * shape.width || shape.classes > shape.width || shape.blocks == 0 {
            return Err(TransformerError::Architecture(
                "at most two inputs a channel, no more classes than channels, and a block",
            ));
        }
        let last = vit.blocks.len() - 1;
        let head = Head::mean(packing, &vit.head);
        let blocks = vit
            .blocks
            .iter()
            .enumerate()
            .map(|(i, block)| {
                let head = (i == last).then_some(&head);
                Ok(Block::new(
                    packing,
                    block,
                    Attention::new(packing, block)?,
                    head,
                ))
            })
            .collect::<Result<_, TransformerError>>()?;
        let ranges = &vit.config.ranges;
        let streams = ranges.blocks.iter().map(|block| block.stream);
        Ok(Self {
            packing,
            shape,
            embedding: Embedding::new(packing, &vit.embed),
            blocks,
            bounds: std::iter::once(ranges.embed)
                .chain(streams)
                .map(bound)
                .collect(),
        })
    }
}

impl<P> Network for VitNetwork<P> {
    type Plaintext = P;

    fn packing(&self) -> Packing {
        self.packing
    }

    fn query_level(&self) -> usize {
        EMBEDDING_LEVELS + BLOCK_LEVELS * self.blocks.len() + RESULT_LEVEL
    }

    fn query_subring(&self) -> Subring {
        Subring::Even
    }

    fn query_scale(&self) -> f64 {
        1.0
    }

    fn query_layout(&self) -> SlotLayout {
        SlotLayout::halves(self.packing, self.shape.inputs)
    }

    fn result_layout(&self) -> SlotLayout {
        SlotLayout::channels(self.packing, 1, self.shape.classes)
    }

    fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        query: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let embedded = self.embedding.evaluate(evaluator, query)?;
        self.blocks.iter().zip(&self.bounds).enumerate().try_fold(
            embedded,
            |x, (i, (block, &bound))| {
                let x = evaluator.refresh_one(x, bound)?;
                block.evaluate(evaluator, i + 1, &x)
            },
        )
    }
}
