//! Attention of the last token alone: `y = sum_s A[s] v_s` with `A[s] = (g[T-1-s] (q . k_s + r))^2 + delta[T-1-s]`.
//!
//! With one query the distance to every token is known when the weights are encoded: the gain joins the keys, there is no skew
//! and no mask. The query is spread over all tokens, `q . k` is summed over the lanes of a head and stands in each of them; the sum
//! over the tokens is left to the block's output, which is linear.

use crate::{
    Packing, TransformerError,
    affine::{Affine, NORMED},
    attention::per_distance,
    block::Mixer,
    packing::Tokens,
};
use circuits::ckks::Complex64;
use circuits::{CircuitError, Constant, Evaluator, LinearTransform};
use model::{Block, Sigma};

/// The scale of normed keys and values: what it grows to in three products, the block's output brings back. The query stands at [`NORMED`]:
/// all slots but the last token's hold noise alone, and the spreading adds it up.
const NORMED_KEYS: f64 = 4.0;

/// Query, keys, values, scores, sigma, weighted values.
pub(crate) struct LastAttention<P> {
    packing: Packing,
    query: Affine<P>,
    key_value: Affine<P>,
    shift: Constant<P>,
    offset: Constant<P>,
}

impl<P> LastAttention<P> {
    pub(crate) fn new(packing: Packing, block: &Block) -> Result<Self, TransformerError> {
        let Sigma::Causal {
            gain,
            shift,
            offset,
        } = &block.sigma
        else {
            return Err(TransformerError::Architecture(
                "an order of tokens for a model that continues them",
            ));
        };
        let d = packing.channels();
        let row = |c: usize| packing.head_channel(c);
        let query = ndarray::Array2::from_shape_fn((d, d), |(c, k)| {
            Complex64::from(block.query.weight[[row(c), k]] as f64)
        });
        let query_bias = (0..d)
            .map(|c| Complex64::from(block.query.bias[row(c)] as f64))
            .collect();
        let (gain, tokens) = (gain.mapv(f64::from), packing.tokens);
        let gain_at = {
            let gain = gain.clone();
            move |c: usize, t: usize| gain[[c % packing.heads, tokens - 1 - t]]
        };
        // One half: the scores are taken as z + conj z, and so are keys and values.
        let key_value = {
            let (key, value, gain_at) = (
                block.key.weight.clone(),
                block.value.weight.clone(),
                gain_at.clone(),
            );
            LinearTransform::new(packing.channel_steps(), move |rotation| {
                let shift = rotation as usize / packing.channel();
                packing.vector(Tokens::First, |c, t| {
                    let at = [packing.head_channel(c), (c + shift) % d];
                    Complex64::new(gain_at(c, t) * key[at] as f64, value[at] as f64) / 2.0
                })
            })
        };
        let key_value_bias = packing.vector(Tokens::First, |c, t| {
            let (key, value) = (block.key.bias[row(c)], block.value.bias[row(c)]);
            Complex64::new(gain_at(c, t) * key as f64, value as f64) / 2.0
        });
        let shift = shift.mapv(f64::from);
        Ok(Self {
            packing,
            query: Affine::of(packing, query, &query_bias, Tokens::Last),
            key_value: Affine::new(key_value, key_value_bias),
            shift: Constant::new(packing.vector(Tokens::First, |c, t| {
                Complex64::from(gain_at(c, t) * shift[c % packing.heads])
            })),
            offset: Constant::new(per_distance(packing, Tokens::First, offset, |_, t| {
                Some(tokens - 1 - t)
            })),
        })
    }
}

impl<P> Mixer<P> for LastAttention<P> {
    /// `A[s] v_s` on the first half of the tokens: four levels, five with a norm.
    fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &[E::Ciphertext],
        factor: Option<&E::Ciphertext>,
    ) -> Result<E::Ciphertext, CircuitError> {
        let packing = self.packing;
        let query = self.query.evaluate(evaluator, x, factor, NORMED)?;
        let query = packing.rotated_sum(evaluator, &query, 1, packing.tokens)?;
        let key_value = self.key_value.evaluate(evaluator, x, factor, NORMED_KEYS)?;
        let products = evaluator.relinearize(&evaluator.dot(&[&query], &[&key_value])?)?;
        let products = evaluator.twice_real(&evaluator.rescale(&products)?)?;
        let scores =
            packing.rotated_sum(evaluator, &products, packing.lane() as i64, packing.lanes)?;
        let scores = self.shift.add_to(evaluator, &scores)?;
        let square = evaluator.relinearize(&evaluator.dot(&[&scores], &[&scores])?)?;
        let weights = self
            .offset
            .add_to(evaluator, &evaluator.rescale(&square)?)?;
        // conj z - z = -i V.
        let value = evaluator.sub(&evaluator.conjugate(&key_value)?, &key_value)?;
        let value = evaluator.drop_to(&value, evaluator.level_of(&weights))?;
        let mixed = evaluator.relinearize(&evaluator.dot(&[&weights], &[&value])?)?;
        evaluator.mul_i(&evaluator.rescale(&mixed)?)
    }
}
