//! `x + attention(x) + mlp(x)`: attention and MLP side by side, one product for both outputs.

use crate::{Packing, matrix::complex, mlp::Up, norm, packing::Tokens};
use circuits::ckks::Complex64;
use circuits::{
    CircuitError, Constant, Evaluator, LinearTransform, product, product_at, rotations,
};
use model::Linear;
use ndarray::{Array1, Array2, s};

/// Attention in one of its forms: what is added up over tokens, from the channel rotations of the stream and
/// the factor of its norm.
pub(crate) trait Mixer<P> {
    fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &[E::Ciphertext],
        factor: Option<&E::Ciphertext>,
    ) -> Result<E::Ciphertext, CircuitError>;
}

/// A linear map of the stream that follows the last block and is summed over the tokens. It joins the block's products, so that it
/// costs no level.
pub(crate) struct Head {
    weight: Array2<f64>,
    bias: Array1<f64>,
    /// Share of a token in the sum.
    share: f64,
    /// Which tokens have one.
    tokens: Tokens,
    /// Rotations of the stream that it needs.
    rotations: usize,
    /// The scale of its values, as a multiple of that of linear layers.
    scale: f64,
}

impl Head {
    /// `head mean_t(x)`.
    pub(crate) fn mean(packing: Packing, head: &Linear) -> Self {
        let d = packing.channels();
        let classes = head.weight.nrows();
        let mut weight = Array2::zeros((d, d));
        weight
            .slice_mut(s![..classes, ..])
            .assign(&head.weight.mapv(f64::from));
        let mut bias = Array1::zeros(d);
        bias.slice_mut(s![..classes])
            .assign(&head.bias.mapv(f64::from));
        Self {
            weight,
            bias,
            share: 1.0 / packing.tokens as f64,
            tokens: Tokens::Doubled,
            rotations: packing.channel_babies(),
            scale: 1.0,
        }
    }

    /// `x_(T-1)`, at `scale` times the scale of linear layers.
    pub(crate) fn last(packing: Packing, scale: f64) -> Self {
        Self {
            weight: Array2::eye(packing.channels()),
            bias: Array1::zeros(packing.channels()),
            share: 1.0,
            tokens: Tokens::Last,
            rotations: 1,
            scale,
        }
    }
}

/// A map of the stream that joins the product of both outputs.
struct Joined<P> {
    map: LinearTransform<P>,
    /// Rotations of the stream that it needs.
    rotations: usize,
    /// Scale of the sum, as a multiple of that of linear layers.
    scale: f64,
}

/// One block of the transformer.
pub(crate) struct Block<P, M> {
    packing: Packing,
    slope: Option<f64>,
    mixer: M,
    up: Up<P>,
    /// The stream itself, on its way to another scale.
    carry: Option<Joined<P>>,
    /// The head on the stream, in the last block.
    head: Option<Joined<P>>,
    attention: LinearTransform<P>,
    mlp: LinearTransform<P>,
    bias: Constant<P>,
}

impl<P, M: Mixer<P>> Block<P, M> {
    /// A block; the last one takes the head.
    pub(crate) fn new(
        packing: Packing,
        block: &model::Block,
        mixer: M,
        head: Option<&Head>,
    ) -> Self {
        let d = packing.channels();
        let wide = |weight: &Array2<f32>| weight.mapv(f64::from);
        let bias: Array1<f64> = (&block.output.bias + &block.down.bias).mapv(f64::from);
        let (left, tokens, bias) = match head {
            None => (Array2::eye(d), Tokens::Doubled, bias),
            Some(head) => (
                &head.weight * head.share,
                head.tokens,
                head.weight.dot(&bias) + &head.bias,
            ),
        };
        // One half: the sum is taken as z + conj z.
        let output = left.dot(&wide(&block.output.weight));
        let output = Array2::from_shape_fn((d, d), |(c, k)| {
            Complex64::from(output[[c, packing.head_channel(k)]] / 2.0)
        });
        let down = left.dot(&wide(&block.down.weight));
        let (first, second) = (down.slice(s![.., ..d]), down.slice(s![.., d..]));
        let down = complex(&first.to_owned(), &-&second, 0.5);
        Self {
            packing,
            slope: block.norm,
            mixer,
            up: Up::new(packing, &block.up),
            carry: None,
            head: head.map(|head| {
                let stream = left.mapv(|w| Complex64::from(w / 2.0));
                Joined {
                    map: packing.linear(stream, tokens),
                    rotations: head.rotations,
                    scale: head.scale,
                }
            }),
            attention: packing.linear(output, Tokens::Doubled),
            mlp: packing.linear(down, tokens),
            bias: Constant::new(packing.bias(&bias.mapv(Complex64::from), Tokens::Doubled)),
        }
    }

    /// The same, with a stream at `share` times the scale of linear layers.
    pub(crate) fn with_stream_at(self, share: f64) -> Self {
        let half = Array2::from_diag_elem(self.packing.channels(), Complex64::from(0.5));
        let map = self.packing.linear(half, Tokens::Doubled);
        Self {
            carry: Some(Joined {
                map,
                rotations: 1,
                scale: share,
            }),
            ..self
        }
    }

    /// The stream after the block, or the head's values at the first token of each channel: one level more than the mixer's.
    pub(crate) fn evaluate<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        index: usize,
        x: &E::Ciphertext,
    ) -> Result<E::Ciphertext, CircuitError> {
        let packing = self.packing;
        evaluator.layer(&format!("block {index}: attention"));
        let rotated = packing.channel_rotations(evaluator, x)?;
        let factor = self
            .slope
            .map(|slope| norm::factor(evaluator, packing, x, slope))
            .transpose()?;
        let y = self.mixer.evaluate(evaluator, &rotated, factor.as_ref())?;
        evaluator.layer(&format!("block {index}: MLP"));
        let u = self.up.evaluate(evaluator, &rotated, factor.as_ref())?;
        drop(rotated);
        let u = packing
            .channel_rotations(evaluator, &evaluator.drop_to(&u, evaluator.level_of(&y))?)?;
        evaluator.layer(&format!("block {index}: output"));
        let y = match self.head {
            None => evaluator.add(&y, &evaluator.rotate(&y, -(packing.tokens as i64))?)?,
            Some(_) => y,
        };
        let x = evaluator.drop_to(x, evaluator.level_of(&y))?;
        let y = packing.channel_rotations(evaluator, &y)?;
        let change = [(&self.attention, &y[..]), (&self.mlp, &u[..])];
        let sum = match self.head.as_ref().or(self.carry.as_ref()) {
            None => {
                let change = evaluator.twice_real(&product(evaluator, &change)?)?;
                let x = evaluator.drop_to(&x, evaluator.level_of(&change))?;
                evaluator.add(&x, &change)?
            }
            Some(joined) => {
                let step = packing.channel() as i64;
                let x = rotations(evaluator, &x, step, joined.rotations)?;
                let [attention, mlp] = change;
                let inputs = [(&joined.map, &x[..]), attention, mlp];
                let sum = product_at(evaluator, &inputs, evaluator.scale() * joined.scale)?;
                evaluator.twice_real(&sum)?
            }
        };
        let sum = match self.head {
            None => sum,
            Some(_) => {
                evaluator.layer("head");
                packing.rotated_sum(evaluator, &sum, 1, packing.tokens)?
            }
        };
        self.bias.add_to(evaluator, &sum)
    }
}
