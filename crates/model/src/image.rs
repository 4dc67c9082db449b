//! Images: 32×32 RGB, patches, and (feature `decode`) reading of image files.

use ndarray::Array2;
use thiserror::Error;

use crate::Preprocessing;

#[cfg(feature = "decode")]
mod decode;
#[cfg(feature = "decode")]
pub use decode::{FILE_LIMIT, PIXEL_LIMIT, decode};

/// Side of every image the models take.
pub const SIDE: usize = 32;
/// Red, green, blue.
pub(crate) const CHANNELS: usize = 3;

/// A 32×32 image, rows from the top, three bytes R, G, B per pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Rgb32(pub [u8; 3 * SIDE * SIDE]);

impl std::fmt::Debug for Rgb32 {
    // An image is the user's secret: it must not end up in a log by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rgb32(…)")
    }
}

impl TryFrom<&[u8]> for Rgb32 {
    type Error = ImageError;

    fn try_from(bytes: &[u8]) -> Result<Self, ImageError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| ImageError::Length(bytes.len()))
    }
}

/// Why bytes are not usable as an image.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Raw pixels of the wrong length.
    #[error("{0} bytes are not a 32×32 RGB image (3072 bytes)")]
    Length(usize),
    /// The file is longer than the limit.
    #[error("the file has {length} bytes, more than {limit}")]
    FileTooLong {
        /// Length of the file.
        length: usize,
        /// Largest length accepted.
        limit: usize,
    },
    /// The file does not begin like a PNG, JPEG or WebP file.
    #[error("the file is not a PNG, JPEG or WebP image")]
    UnknownFormat,
    /// The header announces too many pixels, or none.
    #[error("the image is {width}×{height} pixels; between 1 and {limit} pixels are accepted")]
    Dimensions {
        /// Announced width.
        width: u32,
        /// Announced height.
        height: u32,
        /// Largest number of pixels accepted.
        limit: u64,
    },
    /// The file is damaged, or uses a variant that is not supported.
    #[error("the image cannot be decoded: {0}")]
    Damaged(String),
}

/// Normalises and cuts an image into overlapping patches \[tokens, inputs\].
///
/// Token `ty·side + tx` begins at pixel (ty·stride − pad, tx·stride − pad); its value `(c·patch + dy)·patch + dx` is
/// channel c at (dy, dx), zero outside the image: the order of `torch.nn.functional.unfold`.
pub fn patches(image: &Rgb32, preprocessing: &Preprocessing) -> Array2<f32> {
    let p = preprocessing;
    let side = p.side();
    Array2::from_shape_fn((p.tokens(), p.inputs()), |(token, value)| {
        let (channel, dy, dx) = (
            value / (p.patch * p.patch),
            value / p.patch % p.patch,
            value % p.patch,
        );
        let row = (token / side * p.stride + dy).checked_sub(p.pad);
        let column = (token % side * p.stride + dx).checked_sub(p.pad);
        match (row, column) {
            (Some(y), Some(x)) if y < SIDE && x < SIDE => normalised(image, p, y, x, channel),
            _ => 0.0,
        }
    })
}

/// A channel of the pixel in row `y` and column `x`, of mean 0 and deviation 1 over the photographs the model knows.
pub(crate) fn normalised(
    image: &Rgb32,
    preprocessing: &Preprocessing,
    y: usize,
    x: usize,
    channel: usize,
) -> f32 {
    let byte = image.0[CHANNELS * (SIDE * y + x) + channel];
    (f32::from(byte) / 255.0 - preprocessing.mean[channel]) / preprocessing.std[channel]
}
