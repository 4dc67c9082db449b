//! Where values sit in the slots of a ciphertext, as data: a new model needs no new client.
//!
//! Value `j` of token `t` has the mixed-radix digits of `j` over the axes, least significant first. Its slot is
//! `t · token_stride + Σ digit_a · stride_a`; a digit of an imaginary axis selects the imaginary part instead.

use ckks::Complex64;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const AXES: usize = 8;

/// Part of a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The digit moves the slot by its stride.
    #[default]
    Real,
    /// Digit 1 selects the imaginary part; the size is at most 2.
    Imaginary,
}

/// One digit of a value's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Axis {
    /// Values of the digit: `0..size`.
    pub size: u32,
    /// Slots that one step of the digit moves.
    #[serde(default)]
    pub stride: u32,
    /// What the digit selects.
    #[serde(default)]
    pub part: Part,
}

/// Placement of a `tokens × values` matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Layout {
    /// Rows.
    pub tokens: u32,
    /// Values of a row.
    pub values: u32,
    /// Slots from one token to the next.
    pub token_stride: u32,
    /// Digits of a value's index, least significant first.
    pub axes: Vec<Axis>,
}

/// Why a layout or its data is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// The layout cannot address what it claims.
    #[error("slot layout is not usable: {0}")]
    Unusable(&'static str),
    /// Data of another size.
    #[error("{found} values given, the layout holds {expected}")]
    Length {
        /// Values at hand.
        found: usize,
        /// Values or slots needed.
        expected: usize,
    },
}

/// A layout checked against a number of slots.
#[derive(Clone, Debug)]
pub struct Placement {
    slots: usize,
    // One entry per value, row by row: slot, and whether its imaginary part.
    places: Vec<(usize, bool)>,
}

impl Layout {
    /// Checks that every value has a slot below `slots` of its own.
    ///
    /// # Errors
    /// [`LayoutError::Unusable`] with the reason.
    pub fn place(&self, slots: usize) -> Result<Placement, LayoutError> {
        let unusable = |reason| Err(LayoutError::Unusable(reason));
        let count = self.len();
        // Two values fit a slot at most; this bounds everything allocated below.
        if count == 0 || count > 2 * slots as u64 {
            return unusable("it has no values, or more than the slots can hold");
        }
        if self.axes.len() > AXES {
            return unusable("it has too many axes");
        }
        if self.axes.iter().any(|axis| axis.size == 0) {
            return unusable("it has an empty axis");
        }
        if self
            .axes
            .iter()
            .any(|axis| axis.part == Part::Imaginary && axis.size > 2)
        {
            return unusable("an imaginary axis has more than two steps");
        }
        let reach = self
            .axes
            .iter()
            .fold(1u64, |reach, axis| reach.saturating_mul(axis.size.into()));
        if reach < self.values.into() {
            return unusable("its axes do not reach every value");
        }
        let mut places = Vec::with_capacity(count as usize);
        let mut taken = vec![[false; 2]; slots];
        for token in 0..u64::from(self.tokens) {
            for value in 0..u64::from(self.values) {
                let (slot, imaginary) = self.address(token, value);
                let slot = usize::try_from(slot).unwrap_or(usize::MAX);
                let Some([real_taken, imaginary_taken]) = taken.get_mut(slot) else {
                    return unusable("it addresses a slot that does not exist");
                };
                let flag = if imaginary {
                    imaginary_taken
                } else {
                    real_taken
                };
                if std::mem::replace(flag, true) {
                    return unusable("it puts two values into one place");
                }
                places.push((slot, imaginary));
            }
        }
        Ok(Placement { slots, places })
    }

    /// Values of all tokens.
    #[must_use]
    pub fn len(&self) -> u64 {
        u64::from(self.tokens) * u64::from(self.values)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some values sit in imaginary parts.
    #[must_use]
    pub fn is_complex(&self) -> bool {
        self.axes.iter().any(|axis| axis.part == Part::Imaginary)
    }

    // Eight products of u32 cannot overflow the saturating sum in a way that lands on a valid slot.
    fn address(&self, token: u64, value: u64) -> (u64, bool) {
        let mut slot = token.saturating_mul(self.token_stride.into());
        let mut rest = value;
        let mut imaginary = false;
        for axis in &self.axes {
            let digit = rest % u64::from(axis.size);
            rest /= u64::from(axis.size);
            match axis.part {
                Part::Real => slot = slot.saturating_add(digit.saturating_mul(axis.stride.into())),
                Part::Imaginary => imaginary ^= digit == 1,
            }
        }
        (slot, imaginary)
    }
}

impl Placement {
    /// Values held, row by row.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Never: an empty layout is not usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Slots with `values` in their places and zero elsewhere.
    ///
    /// # Errors
    /// [`LayoutError::Length`] when there are not exactly [`Self::len`] values.
    pub fn pack(&self, values: &[f32]) -> Result<Vec<Complex64>, LayoutError> {
        if values.len() != self.places.len() {
            let (found, expected) = (values.len(), self.places.len());
            return Err(LayoutError::Length { found, expected });
        }
        let mut slots = vec![Complex64::new(0.0, 0.0); self.slots];
        for (&value, &(slot, imaginary)) in values.iter().zip(&self.places) {
            if let Some(place) = slots.get_mut(slot) {
                *(if imaginary {
                    &mut place.im
                } else {
                    &mut place.re
                }) = value.into();
            }
        }
        Ok(slots)
    }

    /// The values that sit in `slots`.
    ///
    /// # Errors
    /// [`LayoutError::Length`] when there are fewer slots than the layout was checked against.
    pub fn unpack(&self, slots: &[Complex64]) -> Result<Vec<f32>, LayoutError> {
        let short = LayoutError::Length {
            found: slots.len(),
            expected: self.slots,
        };
        self.places
            .iter()
            .map(|&(slot, imaginary)| {
                let place = slots.get(slot).ok_or_else(|| short.clone())?;
                Ok((if imaginary { place.im } else { place.re }) as f32)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(size: u32, stride: u32) -> Axis {
        Axis {
            size,
            stride,
            part: Part::Real,
        }
    }

    fn vision() -> Layout {
        let imaginary = Axis {
            size: 2,
            stride: 0,
            part: Part::Imaginary,
        };
        let axes = vec![axis(64, 128), axis(2, 64), imaginary];
        Layout {
            tokens: 64,
            values: 192,
            token_stride: 1,
            axes,
        }
    }

    #[test]
    fn vision_input_follows_its_formula() {
        let layout = vision();
        let placement = layout.place(8192).unwrap();
        let values: Vec<f32> = (0..64 * 192).map(|index| index as f32 + 1.0).collect();
        let slots = placement.pack(&values).unwrap();
        for token in 0..64 {
            for value in 0..192 {
                let (i, half, imaginary) = (value % 64, value / 64 % 2, value / 128);
                let place = slots[128 * i + 64 * half + token];
                let found = if imaginary == 1 { place.im } else { place.re };
                assert_eq!(found as f32, values[token * 192 + value]);
            }
        }
        let written = slots
            .iter()
            .flat_map(|s| [s.re, s.im])
            .filter(|&part| part != 0.0)
            .count();
        assert_eq!(written, values.len());
        assert_eq!(placement.unpack(&slots).unwrap(), values);
    }

    #[test]
    fn layouts_that_collide_or_overflow_are_refused() {
        let with = |change: fn(&mut Layout)| {
            let mut layout = vision();
            change(&mut layout);
            layout.place(8192)
        };
        let refused: [fn(&mut Layout); 8] = [
            |layout| layout.token_stride = 0,
            |layout| layout.token_stride = 64,
            |layout| layout.axes[0].stride = u32::MAX,
            |layout| layout.axes[2].size = 3,
            |layout| layout.axes[1].size = 0,
            |layout| layout.values = 257,
            |layout| layout.tokens = u32::MAX,
            |layout| layout.tokens = 0,
        ];
        for (index, change) in refused.into_iter().enumerate() {
            assert!(with(change).is_err(), "change {index} was accepted");
        }
        assert!(with(|layout| layout.values = 256).is_ok());
        assert!(vision().place(8191).is_err());
    }

    #[test]
    fn wrong_amounts_of_data_are_refused() {
        let placement = vision().place(8192).unwrap();
        assert!(placement.pack(&[0.0; 5]).is_err());
        assert!(placement.unpack(&[Complex64::new(0.0, 0.0); 8]).is_err());
    }

    #[test]
    fn json_form_is_short() {
        let json =
            r#"{"tokens":1,"values":100,"token_stride":0,"axes":[{"size":100,"stride":128}]}"#;
        let layout: Layout = serde_json::from_str(json).unwrap();
        assert_eq!(layout.axes, [axis(100, 128)]);
        assert_eq!(layout.place(16384).unwrap().len(), 100);
    }
}
