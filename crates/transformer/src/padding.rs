//! A network that no packing takes, widened with zeros until one does: heads to a power of two, the MLP to twice the stream.
//!
//! A head whose queries, shift and offset are zero gives zero attention weights, and nothing reads the new channels: the same function.

use model::{Block, Linear, Sigma, Vit};
use ndarray::{Array, Array1, Array2, Array3, Dimension};

/// The same network with as many heads as the packing has, or `None` where it fits as it is.
pub(crate) fn padded(vit: &Vit) -> Option<Vit> {
    let shape = vit.config.architecture;
    let heads = shape.heads.next_power_of_two();
    let width = heads * shape.head_width();
    let hidden = 2 * width;
    if (heads == shape.heads && shape.hidden == hidden) || shape.hidden > hidden {
        return None;
    }
    let mut vit = vit.clone();
    let architecture = &mut vit.config.architecture;
    (architecture.heads, architecture.width, architecture.hidden) = (heads, width, hidden);
    vit.embed.weight = matrix(&vit.embed.weight, width, shape.inputs);
    vit.embed.position = matrix(&vit.embed.position, shape.tokens, width);
    vit.head = linear(&vit.head, shape.classes, width);
    for block in &mut vit.blocks {
        *block = padded_block(block, heads, width, hidden);
    }
    Some(vit)
}

fn padded_block(block: &Block, heads: usize, width: usize, hidden: usize) -> Block {
    let square = |map: &Linear| linear(map, width, width);
    Block {
        norm: block.norm,
        query: square(&block.query),
        key: square(&block.key),
        value: square(&block.value),
        sigma: sigma(&block.sigma, heads),
        output: square(&block.output),
        up: linear(&block.up, hidden, width),
        down: linear(&block.down, width, hidden),
    }
}

fn sigma(sigma: &Sigma, heads: usize) -> Sigma {
    match sigma {
        Sigma::Unordered { shift, offset } => {
            let (_, tokens, others) = offset.dim();
            Sigma::Unordered {
                shift: vector(shift, heads),
                offset: corner(offset, Array3::zeros((heads, tokens, others))),
            }
        }
        Sigma::Causal {
            gain,
            shift,
            offset,
        } => Sigma::Causal {
            gain: matrix(gain, heads, gain.ncols()),
            shift: vector(shift, heads),
            offset: matrix(offset, heads, offset.ncols()),
        },
    }
}

fn linear(map: &Linear, outputs: usize, inputs: usize) -> Linear {
    Linear {
        weight: matrix(&map.weight, outputs, inputs),
        bias: vector(&map.bias, outputs),
    }
}

fn matrix(values: &Array2<f32>, rows: usize, columns: usize) -> Array2<f32> {
    corner(values, Array2::zeros((rows, columns)))
}

fn vector(values: &Array1<f32>, length: usize) -> Array1<f32> {
    corner(values, Array1::zeros(length))
}

/// `values` in the first corner of `zeros`.
fn corner<D: Dimension>(values: &Array<f32, D>, mut zeros: Array<f32, D>) -> Array<f32, D> {
    zeros
        .slice_each_axis_mut(|axis| (..values.len_of(axis.axis)).into())
        .assign(values);
    zeros
}
