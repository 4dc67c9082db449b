//! The language model: embedded tokens in, the vector after the last token out. Only that vector is needed, so the last block
//! computes one query and no others, and its depth is five instead of seven. Layer norm stands before each block but the first, whose input
//! the client has normalised, and costs one level.

use crate::{
    Network, Packing, SlotLayout, TransformerError,
    attention::Attention,
    block::{Block, Head},
    last_attention::LastAttention,
    network::{RESULT_LEVEL, bound},
};
use circuits::ckks::Subring;
use circuits::{CircuitError, Evaluator};
use model::Lm;

/// The language model as a circuit.
pub struct LmNetwork<P> {
    packing: Packing,
    blocks: Vec<Block<P, Attention<P>>>,
    last: Block<P, LastAttention<P>>,
    /// Of the stream before each block.
    bounds: Vec<f64>,
}

const BLOCK_LEVELS: usize = 7;
const LAST_BLOCK_LEVELS: usize = 5;
const NORM_LEVELS: usize = 1;

/// The scale of a stream before its norm, as a multiple of the parameters': the sum of its squares grows by log2 of `|x|^2 / nu`
/// bits, which the scales of the stream and of what is multiplied by the factor must leave. Less before the last block, where no plain
/// product takes an excess away.
const NORMED_STREAM: f64 = 1.0 / 4.0;
const LAST_NORMED_STREAM: f64 = 1.0 / 16.0;

/// The scale of the result as a multiple of the parameters': the three products of the last block's attention let it grow.
const RESULT_SCALE: f64 = 4096.0;

impl<P> LmNetwork<P> {
    /// The circuit of a model.
    pub fn new(lm: &Lm) -> Result<Self, TransformerError> {
        let shape = &lm.config.architecture;
        let packing = Packing::new(shape.window, shape.heads, shape.width, shape.hidden)?;
        let Some((last, blocks)) = lm.blocks.split_last() else {
            return Err(TransformerError::Architecture("a block"));
        };
        let count = blocks.len();
        let blocks = blocks
            .iter()
            .enumerate()
            .map(|(i, block)| {
                let attention = Attention::new(packing, block)?;
                let share = if i + 1 == count {
                    LAST_NORMED_STREAM
                } else {
                    NORMED_STREAM
                };
                Ok(Block::new(packing, block, attention, None).with_stream_at(share))
            })
            .collect::<Result<_, TransformerError>>()?;
        let head = Head::last(packing, RESULT_SCALE);
        let attention = LastAttention::new(packing, last)?;
        let ranges = &lm.config.ranges;
        let streams = ranges.blocks.iter().map(|block| block.stream);
        Ok(Self {
            packing,
            blocks,
            bounds: std::iter::once(ranges.embed)
                .chain(streams)
                .map(bound)
                .collect(),
            last: Block::new(packing, last, attention, Some(&head)),
        })
    }
}

impl<P> Network for LmNetwork<P> {
    type Plaintext = P;

    fn packing(&self) -> Packing {
        self.packing
    }

    fn query_level(&self) -> usize {
        let blocks = self.blocks.len();
        (BLOCK_LEVELS + NORM_LEVELS) * blocks + LAST_BLOCK_LEVELS + RESULT_LEVEL
    }

    fn query_subring(&self) -> Subring {
        Subring::Real
    }

    fn query_scale(&self) -> f64 {
        0.5
    }

    fn query_layout(&self) -> SlotLayout {
        SlotLayout::channels(self.packing, self.packing.tokens, self.packing.channels())
    }

    fn result_layout(&self) -> SlotLayout {
        SlotLayout::channels(self.packing, 1, self.packing.channels())
    }

    fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        query: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        evaluator.layer("query");
        let single = evaluator.scaled(&evaluator.twice_real(query)?, 0.5);
        let turned = evaluator.rotate(&single, -(self.packing.tokens as i64))?;
        let doubled = evaluator.add(&single, &turned)?;
        let x = self.blocks.iter().zip(&self.bounds).enumerate().try_fold(
            doubled,
            |x, (i, (block, &bound))| {
                let x = evaluator.refresh_one(x, bound)?;
                block.evaluate(evaluator, i + 1, &x)
            },
        )?;
        let x = evaluator.refresh_one(x, self.bounds[self.blocks.len()])?;
        self.last.evaluate(evaluator, self.blocks.len() + 1, &x)
    }
}
