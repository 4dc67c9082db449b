//! One ciphertext holds the whole residual stream: `slot(c, t') = c * 2T + t'`, `t'` in `[0, 2T)`, the value at `t'` being that of
//! token `t' mod T` ("doubled tokens"). Channels of queries, keys, values and attention outputs are ordered lane by lane,
//! `c = f * H + h`; those of the model head by head, `h * F + f`.

use crate::TransformerError;
use circuits::ckks::Complex64;

/// The sizes that the packing is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// `T`, tokens.
    pub tokens: usize,
    /// `H`, heads.
    pub heads: usize,
    /// `F`, width of a head; equal to `T`, so that the scores of all heads fill one ciphertext.
    pub lanes: usize,
}

/// Which of the doubled tokens a vector lives on; it is zero on the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Both halves.
    Doubled,
    /// `t' < T`.
    First,
    /// `t' >= T`.
    Second,
    /// `t' = T - 1`.
    Last,
}

impl Packing {
    /// The packing of a network, if it has one.
    pub fn new(
        tokens: usize,
        heads: usize,
        width: usize,
        hidden: usize,
    ) -> Result<Self, TransformerError> {
        let packing = Self {
            tokens,
            heads,
            lanes: width / heads.max(1),
        };
        let refused = TransformerError::Architecture;
        if !tokens.is_power_of_two() || tokens < 8 || !heads.is_power_of_two() {
            return Err(refused("powers of two for tokens (8 or more) and heads"));
        }
        if packing.lanes != tokens || packing.channels() != width {
            return Err(refused("heads as wide as there are tokens"));
        }
        if hidden != 2 * width {
            return Err(refused("an MLP twice as wide as the residual stream"));
        }
        Ok(packing)
    }

    /// `d = F H`, channels of the residual stream.
    pub fn channels(self) -> usize {
        self.lanes * self.heads
    }

    /// Slots of one channel, `2T`.
    pub fn channel(self) -> usize {
        2 * self.tokens
    }

    /// Slots of one lane of all heads, `2T H`.
    pub fn lane(self) -> usize {
        self.heads * self.channel()
    }

    /// All slots.
    pub fn slots(self) -> usize {
        self.channels() * self.channel()
    }

    /// Baby steps over channels: about the square root of `d`, at most 16.
    pub fn channel_babies(self) -> usize {
        (1 << self.channels().ilog2().div_ceil(2)).min(16)
    }

    /// Baby steps over the lanes of a head: about the square root of `F`, at most 8.
    pub fn lane_babies(self) -> usize {
        (1 << (self.lanes.ilog2() / 2)).min(8)
    }

    /// The model's channel at the packed channel `c` of queries, keys, values and attention outputs.
    pub fn head_channel(self, c: usize) -> usize {
        (c % self.heads) * self.lanes + c / self.heads
    }

    /// The slots of `value(c, t)`.
    pub fn vector(
        self,
        tokens: Tokens,
        value: impl Fn(usize, usize) -> Complex64,
    ) -> Vec<Complex64> {
        let mut slots = Vec::with_capacity(self.slots());
        for c in 0..self.channels() {
            for t in 0..self.channel() {
                let live = match tokens {
                    Tokens::Doubled => true,
                    Tokens::First => t < self.tokens,
                    Tokens::Second => t >= self.tokens,
                    Tokens::Last => t + 1 == self.tokens,
                };
                slots.push(if live {
                    value(c, t % self.tokens)
                } else {
                    Complex64::ZERO
                });
            }
        }
        slots
    }
}
