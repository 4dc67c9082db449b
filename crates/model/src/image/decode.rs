use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    imageops::{self, FilterType},
};

use super::{ImageError, Rgb32, SIDE};

/// Longest file accepted.
pub const FILE_LIMIT: usize = 16 << 20;
/// Largest image accepted, in pixels.
pub const PIXEL_LIMIT: u64 = 24_000_000;
/// A pixel takes at most 8 bytes (16-bit RGBA), and decoders keep a second copy for a while.
const MEMORY_LIMIT: u64 = 2 * 8 * PIXEL_LIMIT;
/// Linear interpolation over the area a target pixel covers: no aliasing, no ringing.
const FILTER: FilterType = FilterType::Triangle;

/// Reads a PNG, JPEG or WebP file: the centre square, resized to 32×32, transparency over white.
///
/// Length and announced dimensions are checked before any pixel is decoded. A 32×32 opaque image comes out unchanged.
pub fn decode(file: &[u8]) -> Result<Rgb32, ImageError> {
    if file.len() > FILE_LIMIT {
        return Err(ImageError::FileTooLong {
            length: file.len(),
            limit: FILE_LIMIT,
        });
    }
    let format = image::guess_format(file).map_err(|_| ImageError::UnknownFormat)?;
    if !matches!(
        format,
        ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP
    ) {
        return Err(ImageError::UnknownFormat);
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_LIMIT);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PIXEL_LIMIT {
        return Err(ImageError::Dimensions {
            width,
            height,
            limit: PIXEL_LIMIT,
        });
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let side = width.min(height);
    let mut square = image.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    drop(image);
    square.apply_orientation(orientation);
    shrink(square)
}

fn shrink(square: DynamicImage) -> Result<Rgb32, ImageError> {
    // Over white before resizing: colours under full transparency are arbitrary and must not bleed in.
    let mut pixels = square.into_rgba8();
    for pixel in pixels.pixels_mut() {
        let [r, g, b, alpha] = pixel.0.map(u32::from);
        let over = |v: u32| ((v * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        pixel.0 = [over(r), over(g), over(b), 255];
    }
    let target = SIDE as u32;
    let small = if pixels.dimensions() == (target, target) {
        pixels
    } else {
        imageops::resize(&pixels, target, target, FILTER)
    };
    let bytes: Vec<u8> = small
        .pixels()
        .flat_map(|p| [p.0[0], p.0[1], p.0[2]])
        .collect();
    Rgb32::try_from(bytes.as_slice())
}

fn damaged(error: image::ImageError) -> ImageError {
    match error {
        image::ImageError::Unsupported(_) => {
            ImageError::Damaged("unsupported variant of the format".into())
        }
        other => ImageError::Damaged(other.to_string()),
    }
}
