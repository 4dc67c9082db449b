//! Image files: what is accepted, and each kind of file that is refused.
#![cfg(feature = "decode")]

use std::io::Cursor;

use ::image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use model::image::{FILE_LIMIT, ImageError, PIXEL_LIMIT, decode};

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x % 256) as u8, (y % 256) as u8, ((x * 3 + y) % 256) as u8])
    })
}

#[test]
fn a_32_pixel_image_comes_out_unchanged() {
    let image = gradient(32, 32);
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        assert_eq!(
            decode(&encoded(image.clone(), format))
                .unwrap()
                .0
                .as_slice(),
            image.as_raw().as_slice()
        );
    }
}

#[test]
fn takes_the_centre_square_of_a_wide_image() {
    let image = RgbImage::from_fn(192, 64, |x, _| {
        if (64..128).contains(&x) {
            Rgb([10, 200, 30])
        } else {
            Rgb([255, 0, 0])
        }
    });
    let out = decode(&encoded(image.clone(), ImageFormat::Png)).unwrap();
    assert!(out.0.chunks_exact(3).all(|p| p == [10, 200, 30]));
    let lossy = decode(&encoded(image, ImageFormat::Jpeg)).unwrap();
    let centre = &lossy.0[3 * (16 * 32 + 16)..][..3];
    assert!(
        centre
            .iter()
            .zip([10u8, 200, 30])
            .all(|(a, b)| a.abs_diff(b) < 8),
        "{centre:?}"
    );
}

#[test]
fn transparency_lies_over_white() {
    let image = RgbaImage::from_fn(32, 32, |x, _| {
        if x < 16 {
            Rgba([0, 0, 0, 0])
        } else {
            Rgba([0, 0, 0, 255])
        }
    });
    let out = decode(&encoded(image, ImageFormat::Png)).unwrap();
    assert_eq!((out.0[0], out.0[3 * 31]), (255, 0));
}

#[test]
fn refuses_what_is_no_image() {
    for bytes in [
        b"".as_slice(),
        b"hello, this is text",
        b"%PDF-1.7 ....",
        b"BM\x00\x00\x00\x00\x00\x00",
        b"GIF89a\x01\x00\x01\x00",
    ] {
        assert!(matches!(decode(bytes), Err(ImageError::UnknownFormat)));
    }
}

#[test]
fn refuses_truncated_files() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = encoded(gradient(64, 64), format);
        for length in (12..whole.len() - 16).step_by(41) {
            assert!(decode(&whole[..length]).is_err(), "{format:?} {length}");
        }
    }
}

#[test]
fn refuses_40_megapixels_by_the_header_alone() {
    let mut header = encoded(gradient(8, 8), ImageFormat::Png);
    header[16..20].copy_from_slice(&8000u32.to_be_bytes());
    header[20..24].copy_from_slice(&5000u32.to_be_bytes());
    let crc = crc32(&header[12..29]);
    header[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(matches!(
        decode(&header),
        Err(ImageError::Dimensions {
            width: 8000,
            height: 5000,
            limit: PIXEL_LIMIT
        })
    ));
}

#[test]
fn refuses_long_files_unread() {
    let mut bytes = encoded(gradient(8, 8), ImageFormat::Png);
    bytes.resize(FILE_LIMIT + 1, 0);
    assert!(matches!(
        decode(&bytes),
        Err(ImageError::FileTooLong {
            limit: FILE_LIMIT,
            ..
        })
    ));
}

/// PNG's checksum, so that a forged header is otherwise valid.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| {
            if c & 1 == 1 {
                (c >> 1) ^ 0xedb8_8320
            } else {
                c >> 1
            }
        })
    })
}
