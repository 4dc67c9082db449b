//! `y_t = sum_s (m (q_t . k_s + r)^2 + delta) v_s`, all heads at once, all scores in one ciphertext (DESIGN, section 5). Where tokens
//! have an order, `m` and `delta` depend on `t - s` and are zero for the tokens that follow; elsewhere `m` is 1.
//!
//! With `K'[f, h, t'] = K[f, h, t' + f]` (skewed; likewise `V'`), lanes of `LS` slots and queries on one half of the tokens,
//!
//! ```text
//! W[g, h, t] = q_t . k_(t+g)      = sum_k rot(Q, k LS) * rot(K', k (LS - 1))
//! Y[f, h, t] = sum_g A[g, h, t] V[f, h, t+g] = sum_k rot(A, k LS) * rot(V', k)
//! ```
//!
//! Terms `k` and `k + F/2` share complex slots, `(a - i a')(b + i b') = a b + a' b' + i (...)`, and both sums go by baby steps and
//! giant steps. Products of rotations by `k LS` on one side and `k (LS - 1)` or `k` on the other stay aligned because the
//! skew moved the tokens beforehand.

use crate::{
    Packing, TransformerError,
    affine::{Affine, NORMED, settled},
    block::Mixer,
    matrix::{complex, rows},
    packing::Tokens,
};
use circuits::ckks::Complex64;
use circuits::{CircuitError, Constant, Evaluator, LinearTransform, Steps, product, rotations};
use model::{Block, Sigma};
use ndarray::{Array1, Array2, Array3};

/// Queries, keys, values, scores, sigma, mix.
pub(crate) struct Attention<P> {
    packing: Packing,
    query: Affine<P>,
    key_value: Affine<P>,
    /// The skew of slots whose tokens do not wrap, and of those that do.
    skew: [LinearTransform<P>; 2],
    shift: Constant<P>,
    /// What a square is multiplied by, where there is an order of tokens.
    mask: Option<LinearTransform<P>>,
    offset: Constant<P>,
}

impl<P> Attention<P> {
    pub(crate) fn new(packing: Packing, block: &Block) -> Result<Self, TransformerError> {
        let d = packing.channels();
        let lane = |c: usize| packing.head_channel(c);
        let other = |c: usize| packing.head_channel((c + d / 2) % d);
        // One half: the scores are taken as z + conj z; likewise keys and values.
        let (near, far) = (
            rows(&block.query.weight, lane, d),
            rows(&block.query.weight, other, d),
        );
        let query = complex(&near, &-far, 0.5);
        let bias = &block.query.bias;
        let query_bias = (0..d)
            .map(|c| Complex64::new(bias[lane(c)] as f64, -bias[other(c)] as f64) / 2.0)
            .collect();
        let key_value = complex(
            &rows(&block.key.weight, lane, d),
            &rows(&block.value.weight, lane, d),
            0.5,
        );
        let (key, value) = (&block.key.bias, &block.value.bias);
        let key_value_bias = (0..d)
            .map(|c| Complex64::new(key[lane(c)] as f64, value[lane(c)] as f64) / 2.0)
            .collect();
        let per_head = |values: &Array1<f32>| {
            packing.vector(Tokens::Second, |c, _| {
                Complex64::from(values[c % packing.heads] as f64)
            })
        };
        let (shift, mask, offset) = match &block.sigma {
            Sigma::Unordered { shift, offset } => (shift, None, per_pair(packing, offset)),
            Sigma::Causal {
                gain,
                shift,
                offset,
            } => {
                let squares = gain.mapv(|g| g * g);
                let mask = LinearTransform::new(Steps::NONE, move |_| causal(packing, &squares));
                (shift, Some(mask), causal(packing, offset))
            }
        };
        Ok(Self {
            packing,
            query: Affine::of(packing, query, &query_bias, Tokens::Second),
            key_value: Affine::of(packing, key_value, &key_value_bias, Tokens::Doubled),
            skew: [skew(packing, false), skew(packing, true)],
            shift: Constant::new(per_head(shift)),
            mask,
            offset: Constant::new(offset),
        })
    }

    /// `K' + i rot(K', F/2 (LS - 1))` and `V' + i rot(V', F/2)` from `K + i V` halved.
    fn skewed<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        key_value: &E::Ciphertext,
    ) -> Result<(E::Ciphertext, E::Ciphertext), CircuitError> {
        let Packing { tokens, lanes, .. } = self.packing;
        let babies = self.packing.lane_babies();
        let turn = -(tokens as i64);
        let straight = rotations(evaluator, key_value, 1, babies)?;
        let wrapped = rotations(evaluator, &evaluator.rotate(key_value, turn)?, 1, babies)?;
        let z = product(
            evaluator,
            &[(&self.skew[0], &straight), (&self.skew[1], &wrapped)],
        )?;
        // rot(z, F/2) and, F being T, rot(z, -F/2).
        let ahead = evaluator.rotate_repeatedly(&z, babies as i64, lanes / 2 / babies)?;
        let behind = evaluator.rotate(&ahead, turn)?;
        let key = evaluator.twice_real(&z)?;
        let key_far = self
            .packing
            .half_turn(evaluator, &evaluator.twice_real(&behind)?)?;
        let value = evaluator.sub(&z, &evaluator.conjugate(&z)?)?;
        let value_far = evaluator.sub(&ahead, &evaluator.conjugate(&ahead)?)?;
        // value = i V', value_far = i V'(F/2): V' + i V'(F/2) = -i value + value_far.
        Ok((
            evaluator.add(&key, &evaluator.mul_i(&key_far)?)?,
            evaluator.sub(&value_far, &evaluator.mul_i(&value)?)?,
        ))
    }

    /// `W + r` on the second half of the tokens.
    fn scores<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        query: &E::Ciphertext,
        key: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let (lane, babies) = (self.packing.lane() as i64, self.packing.lane_babies());
        let query = settled(evaluator, query, evaluator.level_of(key))?;
        let keys = rotations(evaluator, key, lane - 1, babies)?;
        let bases = rotations(
            evaluator,
            &query,
            babies as i64,
            self.packing.lanes / 2 / babies,
        )?;
        let sum = giant_sum(evaluator, &bases, lane, &keys, babies as i64 * (lane - 1))?;
        let scores = evaluator.twice_real(&evaluator.rescale(&sum)?)?;
        self.shift.add_to(evaluator, &scores)
    }

    /// `m s^2 + delta`.
    fn sigma<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        scores: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let square = evaluator.relinearize(&evaluator.dot(&[scores], &[scores])?)?;
        let square = evaluator.rescale(&square)?;
        let weights = match &self.mask {
            None => square,
            Some(mask) => product(evaluator, &[(mask, &[square])])?,
        };
        self.offset.add_to(evaluator, &weights)
    }

    /// `Y` from the weights, which move to the first half of the tokens.
    fn mix<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        weights: &E::Ciphertext,
        value: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let packing = self.packing;
        let (lane, babies) = (packing.lane() as i64, packing.lane_babies());
        let moved = evaluator.rotate(
            &evaluator.rotate(weights, -(packing.tokens as i64))?,
            packing.channel() as i64,
        )?;
        let far = packing.half_turn(evaluator, &moved)?;
        let weights = evaluator.sub(&moved, &evaluator.mul_i(&far)?)?;
        let value = evaluator.drop_to(value, evaluator.level_of(&weights))?;
        let values = rotations(evaluator, &value, 1, babies)?;
        let bases = rotations(
            evaluator,
            &weights,
            babies as i64 * (lane - 1),
            packing.lanes / 2 / babies,
        )?;
        evaluator.rescale(&giant_sum(evaluator, &bases, lane, &values, babies as i64)?)
    }
}

impl<P> Mixer<P> for Attention<P> {
    /// `y`, on the first half of the tokens, as the real part of the result: five levels, one more with an order of
    /// tokens and one more with a norm.
    fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &[E::Ciphertext],
        factor: Option<&E::Ciphertext>,
    ) -> Result<E::Ciphertext, CircuitError> {
        let query = self.query.evaluate(evaluator, x, factor, NORMED)?;
        let key_value = self.key_value.evaluate(evaluator, x, factor, NORMED)?;
        let (key, value) = self.skewed(evaluator, &key_value)?;
        let scores = self.scores(evaluator, &query, &key)?;
        let weights = self.sigma(evaluator, &scores)?;
        self.mix(evaluator, &weights, &value)
    }
}

/// `table[h, d]` wherever the pair of tokens at lane `l` and token `t` has the distance `d`, and zero elsewhere.
pub(crate) fn per_distance(
    packing: Packing,
    tokens: Tokens,
    table: &Array2<f32>,
    distance: impl Fn(usize, usize) -> Option<usize>,
) -> Vec<Complex64> {
    packing.vector(tokens, |c, t| {
        distance(c / packing.heads, t).map_or(Complex64::ZERO, |d| {
            Complex64::from(table[[c % packing.heads, d]] as f64)
        })
    })
}

/// The table over scores: lane `g` pairs the query `t` with the key `t + g mod T`, which is not later where `t` reaches `-g mod T`.
fn causal(packing: Packing, table: &Array2<f32>) -> Vec<Complex64> {
    per_distance(packing, Tokens::Second, table, |g, t| {
        let distance = (packing.tokens - g) % packing.tokens;
        (t >= distance).then_some(distance)
    })
}

/// The offsets of all pairs: lane `g` pairs the query `t` with the key `t + g mod T`.
fn per_pair(packing: Packing, offset: &Array3<f32>) -> Vec<Complex64> {
    packing.vector(Tokens::Second, |c, t| {
        let (g, head) = (c / packing.heads, c % packing.heads);
        Complex64::from(offset[[head, t, (t + g) % packing.tokens]] as f64)
    })
}

/// `sum_a rot( sum_b rot(bases_a, b step) * factors_b, a giant )`, relinearised.
fn giant_sum<E: Evaluator>(
    evaluator: &E,
    bases: &[E::Ciphertext],
    step: i64,
    factors: &[E::Ciphertext],
    giant: i64,
) -> Result<E::Ciphertext, CircuitError> {
    let inner = |base: &E::Ciphertext| {
        let turned = rotations(evaluator, base, step, factors.len())?;
        let (turned, factors): (Vec<_>, Vec<_>) = turned.iter().zip(factors).unzip();
        evaluator.relinearize(&evaluator.dot(&turned, &factors)?)
    };
    let mut bases = bases.iter().rev();
    let last = bases.next().map(inner);
    bases.fold(
        last.unwrap_or(Err(CircuitError::NoTerms("giant steps"))),
        |sum, base| evaluator.add(&evaluator.rotate(&sum?, giant)?, &inner(base)?),
    )
}

/// `y[f, h, t'] = x[f, h, (t' + f) mod T]`: the slots where `t' + f` stays inside the doubled tokens, or, on `x` turned by `T` to
/// the right, the others.
fn skew<P>(packing: Packing, wrapped: bool) -> LinearTransform<P> {
    let babies = packing.lane_babies();
    let steps = Steps {
        baby: 1,
        babies,
        giant: babies as i64,
        giants: packing.lanes / babies,
    };
    LinearTransform::new(steps, move |rotation| {
        let width = packing.channel();
        (0..packing.slots())
            .map(|slot| {
                let live = (slot / packing.lane()) as i64 == rotation
                    && (slot % width + rotation as usize >= width) == wrapped;
                Complex64::from(if live { 1.0 } else { 0.0 })
            })
            .collect()
    })
}
