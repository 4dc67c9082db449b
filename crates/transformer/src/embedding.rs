//! Patches to the residual stream: `x = E u + position`, from half a ciphertext.
//!
//! The query lives in the subring of half the slots, with half of its coefficients sent; adding the rotation by a quarter of
//! the ring removes what the missing ones left (the trace to the subring) and doubles the message. Its values `u_j + i u_(j+d)`
//! sit in `d` blocks of `T` slots, repeated twice; `Re((E_j - i E_(j+d)) (u_j + i u_(j+d)))` is a real product of `2d` inputs.

use crate::{Packing, packing::Tokens};
use circuits::ckks::Complex64;
use circuits::{CircuitError, Constant, Evaluator, LinearTransform, Steps, product, rotations};
use model::vit::Embed;

/// The first layer.
pub(crate) struct Embedding<P> {
    packing: Packing,
    map: LinearTransform<P>,
    position: Constant<P>,
}

impl<P> Embedding<P> {
    pub(crate) fn new(packing: Packing, embed: &Embed) -> Self {
        let weight = embed.weight.mapv(f64::from);
        let (tokens, channels) = (packing.tokens, packing.channels());
        let babies = 2 * packing.channel_babies();
        let giant = (packing.channel_babies() * packing.channel()) as i64;
        let steps = Steps {
            baby: -(tokens as i64),
            babies,
            giant,
            giants: channels / babies,
        };
        let at = move |c: usize, j: usize| {
            if j < weight.ncols() {
                weight[[c, j]]
            } else {
                0.0
            }
        };
        let map = LinearTransform::new(steps, move |rotation| {
            let shift = rotation
                .div_euclid(tokens as i64)
                .rem_euclid(channels as i64) as usize;
            let value = |block: usize| {
                let source = (block + shift) % channels;
                let j = source / 2 + channels / 2 * (source % 2);
                // One half for the trace, one for the real part.
                Complex64::new(at(block / 2, j), -at(block / 2, j + channels)) / 4.0
            };
            (0..2 * channels)
                .flat_map(|block| std::iter::repeat_n(value(block), tokens))
                .collect()
        });
        let position = Constant::new(packing.vector(Tokens::Doubled, |c, t| {
            Complex64::from(embed.position[[t, c]] as f64)
        }));
        Self {
            packing,
            map,
            position,
        }
    }

    /// One level.
    pub(crate) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        query: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        evaluator.layer("embedding");
        let trace = evaluator.add(query, &self.packing.half_turn(evaluator, query)?)?;
        let steps = self.map.steps();
        let babies = rotations(evaluator, &trace, steps.baby, steps.babies)?;
        let x = evaluator.twice_real(&product(evaluator, &[(&self.map, &babies)])?)?;
        self.position.add_to(evaluator, &x)
    }
}
