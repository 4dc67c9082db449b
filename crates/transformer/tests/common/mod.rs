//! Patches in and out of slots, at the ring of [`Vit::small`]'s 1,024 slots.
#![allow(dead_code)]

use ckks::Complex64;
use model::Vit;
use ndarray::Array2;
use transformer::SlotLayout;

pub const LOG_N: u32 = 11;

pub fn patches(vit: &Vit, seed: f32) -> Array2<f32> {
    let shape = vit.config.architecture;
    Array2::from_shape_fn((shape.tokens, shape.inputs), |(t, j)| {
        (t as f32 * 1.3 + j as f32 * 0.7 + seed).sin()
    })
}

pub fn pack(layout: &SlotLayout, slots: usize, values: &Array2<f32>) -> Vec<Complex64> {
    let mut out = vec![Complex64::ZERO; slots];
    for ((t, j), &value) in values.indexed_iter() {
        let (slot, imaginary) = layout.place(t, j);
        let part = if imaginary {
            &mut out[slot].im
        } else {
            &mut out[slot].re
        };
        *part = value as f64;
    }
    out
}

pub fn unpack(layout: &SlotLayout, slots: &[Complex64]) -> Vec<f32> {
    (0..layout.values)
        .map(|j| slots[layout.place(0, j).0].re as f32)
        .collect()
}

/// The largest difference, relative to the range of the logits.
pub fn deviation(got: &[f32], want: &[f32]) -> f32 {
    let range = want.iter().copied().fold(f32::MIN, f32::max)
        - want.iter().copied().fold(f32::MAX, f32::min);
    got.iter()
        .zip(want)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
        / range
}
