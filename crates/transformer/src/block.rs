//! `x + attention(x) + mlp(x)`: attention and MLP side by side, one product for both outputs. Six levels.

use crate::{Packing, attention::Attention, matrix::complex, mlp::Up, packing::Tokens};
use circuits::ckks::Complex64;
use circuits::{CircuitError, Evaluator, LinearTransform, product};
use model::Linear;
use ndarray::{Array1, Array2, s};

/// One block of the transformer.
pub(crate) struct Block<P> {
    packing: Packing,
    attention: Attention<P>,
    up: Up<P>,
    output: Output<P>,
}

/// What follows attention and MLP.
enum Output<P> {
    /// `x + output y + down u^2 + bias`.
    Stream {
        attention: LinearTransform<P>,
        mlp: LinearTransform<P>,
        bias: Vec<Complex64>,
    },
    /// `head mean_t(x + output y + down u^2 + bias)`: the head is linear too, so it joins the products and costs no level.
    Logits {
        stream: LinearTransform<P>,
        attention: LinearTransform<P>,
        mlp: LinearTransform<P>,
        bias: Vec<Complex64>,
    },
}

impl<P> Block<P> {
    /// A block; the last one takes the head.
    pub(crate) fn new(packing: Packing, block: &model::Block, head: Option<&Linear>) -> Self {
        let d = packing.channels();
        let wide = |weight: &Array2<f32>| weight.mapv(f64::from);
        let (output, down) = (wide(&block.output.weight), wide(&block.down.weight));
        let bias: Array1<f64> = (&block.output.bias + &block.down.bias).mapv(f64::from);
        // One half: the sum is taken as z + conj z.
        let attention = |left: &Array2<f64>| {
            let product = left.dot(&output);
            let by_lane = Array2::from_shape_fn((d, d), |(c, k)| {
                Complex64::from(product[[c, packing.head_channel(k)]] / 2.0)
            });
            packing.linear(by_lane, Tokens::Doubled)
        };
        let mlp = |left: &Array2<f64>| {
            let (first, second) = (
                left.dot(&down.slice(s![.., ..d])),
                left.dot(&down.slice(s![.., d..])),
            );
            packing.linear(complex(&first, &-second, 0.5), Tokens::Doubled)
        };
        let output = match head {
            None => {
                let identity = Array2::eye(d);
                Output::Stream {
                    attention: attention(&identity),
                    mlp: mlp(&identity),
                    bias: packing.bias(&bias.mapv(Complex64::from), Tokens::Doubled),
                }
            }
            Some(head) => {
                let classes = head.weight.nrows();
                let padded = Array2::from_shape_fn((d, d), |(c, k)| {
                    if c < classes {
                        head.weight[[c, k]] as f64
                    } else {
                        0.0
                    }
                });
                let total = padded.dot(&bias)
                    + Array1::from_shape_fn(d, |c| {
                        if c < classes {
                            head.bias[c] as f64
                        } else {
                            0.0
                        }
                    });
                let mean = &padded / packing.tokens as f64;
                Output::Logits {
                    stream: packing
                        .linear(mean.mapv(|w| Complex64::from(w / 2.0)), Tokens::Doubled),
                    attention: attention(&mean),
                    mlp: mlp(&mean),
                    bias: packing.bias(&total.mapv(Complex64::from), Tokens::Doubled),
                }
            }
        };
        Self {
            packing,
            attention: Attention::new(packing, block),
            up: Up::new(packing, &block.up),
            output,
        }
    }

    /// The stream after the block, or the logits at the first token of each channel.
    pub(crate) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        index: usize,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let packing = self.packing;
        evaluator.layer(&format!("block {index}: attention"));
        let rotated = packing.channel_rotations(evaluator, x)?;
        let y = self.attention.evaluate(evaluator, &rotated)?;
        evaluator.layer(&format!("block {index}: MLP"));
        let u = self.up.evaluate(evaluator, &rotated)?;
        drop(rotated);
        let u = packing
            .channel_rotations(evaluator, &evaluator.drop_to(&u, evaluator.level_of(&y))?)?;
        evaluator.layer(&format!("block {index}: output"));
        match &self.output {
            Output::Stream {
                attention,
                mlp,
                bias,
            } => {
                let y = evaluator.add(&y, &evaluator.rotate(&y, -(packing.tokens as i64))?)?;
                let y = packing.channel_rotations(evaluator, &y)?;
                let change =
                    evaluator.twice_real(&product(evaluator, &[(attention, &y), (mlp, &u)])?)?;
                let x = evaluator.drop_to(x, evaluator.level_of(&change))?;
                evaluator.add_vector(&evaluator.add(&x, &change)?, bias)
            }
            Output::Logits {
                stream,
                attention,
                mlp,
                bias,
            } => {
                let x = evaluator.drop_to(x, evaluator.level_of(&y))?;
                let (x, y) = (
                    packing.channel_rotations(evaluator, &x)?,
                    packing.channel_rotations(evaluator, &y)?,
                );
                let logits = product(evaluator, &[(stream, &x), (attention, &y), (mlp, &u)])?;
                evaluator.layer("head");
                let logits = self.sum_tokens(evaluator, &evaluator.twice_real(&logits)?)?;
                evaluator.add_vector(&logits, bias)
            }
        }
    }

    /// The sum over the tokens, at the first token of each channel, with the keys of 1 and of a baby step over lanes.
    fn sum_tokens<E: Evaluator>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let babies = self.packing.lane_babies();
        let mut sum = x.clone();
        let mut width = 1;
        while width < self.packing.tokens {
            let (step, times) = if width < babies {
                (1, width)
            } else {
                (babies as i64, width / babies)
            };
            sum = evaluator.add(&sum, &evaluator.rotate_repeatedly(&sum, step, times)?)?;
            width *= 2;
        }
        Ok(sum)
    }
}
