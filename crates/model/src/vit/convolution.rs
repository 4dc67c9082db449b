//! One convolution over an image in the clear, with ReLU.

use ndarray::{Array1, Array2, Array3};
use serde::{Deserialize, Serialize};

use crate::{
    ModelError,
    image::{CHANNELS, SIDE},
    tensors::Source,
};

/// Most convolutions of a network, most channels of one, largest kernel and stride.
const LAYERS: usize = 8;
const WIDEST: usize = 1024;
const KERNEL: usize = 16;

/// Sizes of one convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvolutionShape {
    /// Channels that it makes.
    pub channels: usize,
    /// Side of its kernel.
    pub size: usize,
    /// Points of its input from one of its output to the next.
    pub stride: usize,
    /// Zeros added to its input on each side.
    pub pad: usize,
}

impl ConvolutionShape {
    /// Points along one side of what it makes of so many.
    fn side(&self, side: usize) -> usize {
        (side + 2 * self.pad - self.size) / self.stride + 1
    }

    /// Weights of one output channel that reads so many.
    fn taps(&self, channels: usize) -> usize {
        channels * self.size.pow(2)
    }
}

/// Checks that the convolutions can follow each other from an image to so many points along a side.
pub(super) fn check(shapes: &[ConvolutionShape], side: usize) -> Result<(), ModelError> {
    let refuse = |reason: &str| Err(ModelError::Config(reason.into()));
    if shapes.len() > LAYERS {
        return refuse("there are too many convolutions");
    }
    let mut now = SIDE;
    for shape in shapes {
        let numbers = (1..=WIDEST).contains(&shape.channels)
            && (1..=KERNEL).contains(&shape.size)
            && (1..=KERNEL).contains(&shape.stride)
            && shape.pad < shape.size;
        if !numbers || shape.size > now + 2 * shape.pad {
            return refuse("a convolution is too large, or is none");
        }
        now = shape.side(now);
        if now > SIDE {
            return refuse("a convolution makes more points than an image has");
        }
    }
    if !shapes.is_empty() && now != side {
        return refuse("the convolutions make more or fewer points than there are patches");
    }
    Ok(())
}

/// Number of weights of convolutions that follow each other, from an image's three channels.
pub(super) fn values(shapes: &[ConvolutionShape]) -> u64 {
    let mut channels = CHANNELS;
    let mut sum = 0;
    for shape in shapes {
        sum += (shape.channels * (shape.taps(channels) + 1)) as u64;
        channels = shape.channels;
    }
    sum
}

/// y = ReLU(weight ∗ x + bias).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Convolution {
    shape: ConvolutionShape,
    /// \[tap, output\], tap `(c·size + dy)·size + dx`: the outputs of a tap lie together, so that their sums are vectors.
    weight: Array2<f32>,
    bias: Array1<f32>,
}

impl Convolution {
    pub(super) fn take(
        source: &mut Source<'_>,
        name: &str,
        shape: ConvolutionShape,
        channels: usize,
    ) -> Result<Self, ModelError> {
        let linear = source.linear(name, shape.channels, shape.taps(channels))?;
        Ok(Self {
            shape,
            weight: linear.weight.t().as_standard_layout().into_owned(),
            bias: linear.bias,
        })
    }

    /// From \[row, column, channel\] to the same of the output. Neither branch nor index depends on a value of the image, and the order of
    /// additions is fixed, so that every machine gets the same bits.
    pub(super) fn apply(&self, x: &Array3<f32>) -> Array3<f32> {
        let (side, _, channels) = x.dim();
        let (size, made) = (self.shape.size, self.shape.side(side));
        let mut y = Array3::zeros((made, made, self.shape.channels));
        for row in 0..made {
            for column in 0..made {
                let mut sums = self.bias.clone();
                for (dy, dx) in (0..size).flat_map(|dy| (0..size).map(move |dx| (dy, dx))) {
                    let (Some(from_row), Some(from_column)) =
                        (self.input(row, dy, side), self.input(column, dx, side))
                    else {
                        continue;
                    };
                    for c in 0..channels {
                        let value = x[[from_row, from_column, c]];
                        let tap = (c * size + dy) * size + dx;
                        sums.scaled_add(value, &self.weight.row(tap));
                    }
                }
                sums.mapv_inplace(|sum| sum.max(0.0));
                y.slice_mut(ndarray::s![row, column, ..]).assign(&sums);
            }
        }
        y
    }

    /// The input's point under a kernel's, unless it is one of the zeros around it.
    fn input(&self, at: usize, offset: usize, side: usize) -> Option<usize> {
        let point = (at * self.shape.stride + offset).checked_sub(self.shape.pad)?;
        (point < side).then_some(point)
    }
}
