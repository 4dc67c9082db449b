//! Where the client puts the input and finds the output, as data for the manifest.

use crate::Packing;

/// One digit of the index of a value: `size` values, `stride` slots apart; or the choice of real and imaginary part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Number of values.
    pub size: usize,
    /// Slots between them; ignored for a choice of part.
    pub stride: usize,
    /// Whether the digit chooses the imaginary part.
    pub imaginary: bool,
}

/// Value `j` of token `t` sits at slot `t * token_stride + sum_a digit_a(j) * stride_a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotLayout {
    /// Tokens.
    pub tokens: usize,
    /// Values of a token.
    pub values: usize,
    /// Slots between tokens.
    pub token_stride: usize,
    /// Digits of a value's index, least significant first.
    pub axes: Vec<Axis>,
}

impl SlotLayout {
    /// `d` blocks of `T` slots, two values a complex slot, so that the message lives in the subring of half the slots.
    pub fn halves(packing: Packing, values: usize) -> Self {
        let axis = |size, stride, imaginary| Axis {
            size,
            stride,
            imaginary,
        };
        Self {
            tokens: packing.tokens,
            values,
            token_stride: 1,
            axes: vec![
                axis(packing.channels() / 2, packing.channel(), false),
                axis(2, packing.tokens, false),
                axis(2, 0, true),
            ],
        }
    }

    /// One value a channel, for the first tokens.
    pub fn channels(packing: Packing, tokens: usize, values: usize) -> Self {
        let axis = Axis {
            size: values,
            stride: packing.channel(),
            imaginary: false,
        };
        Self {
            tokens,
            values,
            token_stride: 1,
            axes: vec![axis],
        }
    }

    /// Slot and part of value `j` of token `t`.
    pub fn place(&self, t: usize, mut j: usize) -> (usize, bool) {
        let (mut slot, mut imaginary) = (t * self.token_stride, false);
        for axis in &self.axes {
            let digit = j % axis.size;
            j /= axis.size;
            if axis.imaginary {
                imaginary |= digit == 1;
            } else {
                slot += digit * axis.stride;
            }
        }
        (slot, imaginary)
    }
}
