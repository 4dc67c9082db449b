//! Damaged and contradictory model files: each is refused with the error that names the fault.

mod common;

use std::path::Path;

use common::{config, config_json, file, tensors};
use model::{ModelError, Sigma, Task, Vit, image, vit::Config};
use ndarray::Axis;

fn refusal(bytes: &[u8]) -> ModelError {
    Vit::from_bytes(&config_json(), bytes, None).unwrap_err()
}

#[test]
fn accepts_the_intact_file() {
    let vit = Vit::from_bytes(&config_json(), &file(&tensors()), None).unwrap();
    assert_eq!(
        vit.blocks[1].up.weight[[3, 2]],
        tensors()["blocks.1.up.weight"].1[3 * 8 + 2]
    );
    let Sigma::Unordered { offset, .. } = &vit.blocks[0].sigma else {
        panic!("an image has no order of tokens");
    };
    let stored = tensors()["blocks.0.scores.offset"].1[1];
    assert!(offset.index_axis(Axis(0), 1).iter().all(|&o| o == stored));
}

#[test]
fn refuses_truncated_weights_at_every_length() {
    let whole = file(&tensors());
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        assert!(
            matches!(refusal(&whole[..length]), ModelError::Safetensors(_)),
            "{length}"
        );
    }
    let mut long = whole;
    long.push(0);
    assert!(matches!(refusal(&long), ModelError::Safetensors(_)));
}

#[test]
fn refuses_a_header_that_announces_more_than_there_is() {
    let mut bytes = file(&tensors());
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(refusal(&bytes), ModelError::Safetensors(_)));
}

#[test]
fn refuses_a_wrong_shape() {
    let mut bad = tensors();
    bad.get_mut("blocks.1.up.weight").unwrap().0 = vec![8, 12];
    assert!(
        matches!(refusal(&file(&bad)), ModelError::Shape { name, found, .. }
        if name == "blocks.1.up.weight" && found == [8, 12])
    );
}

#[test]
fn refuses_values_that_are_not_finite() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut bad = tensors();
        bad.get_mut("head.bias").unwrap().1[3] = value;
        assert!(
            matches!(refusal(&file(&bad)), ModelError::NotFinite { name, index: 3 } if name == "head.bias")
        );
    }
}

#[test]
fn refuses_missing_and_unknown_tensors() {
    let mut bad = tensors();
    let moved = bad.remove("blocks.0.key.bias").unwrap();
    assert!(
        matches!(refusal(&file(&bad)), ModelError::MissingTensor(name) if name == "blocks.0.key.bias")
    );
    let mut bad = tensors();
    bad.insert("blocks.2.key.bias".into(), moved);
    assert!(
        matches!(refusal(&file(&bad)), ModelError::UnknownTensor(name) if name == "blocks.2.key.bias")
    );
}

#[test]
fn refuses_other_number_types() {
    let text = String::from_utf8_lossy(&file(&tensors())).into_owned();
    assert!(text.contains("\"F32\""));
    let mut bytes = file(&tensors());
    while let Some(at) = bytes.windows(5).position(|w| w == b"\"F32\"") {
        bytes[at..at + 5].copy_from_slice(b"\"I32\"");
    }
    assert!(matches!(refusal(&bytes), ModelError::Type { found, .. } if found == "I32"));
}

#[test]
fn refuses_impossible_configurations() {
    let change = |edit: &dyn Fn(&mut Config)| {
        let mut config = config();
        edit(&mut config);
        Config::from_json(&serde_json::to_vec(&config).unwrap()).map(|_| ())
    };
    assert!(change(&|_| {}).is_ok());
    let edits: [&dyn Fn(&mut Config); 15] = [
        &|c| c.architecture.heads = 3,
        &|c| c.architecture.heads = 0,
        &|c| c.architecture.blocks = 3,
        &|c| c.architecture.width = usize::MAX,
        &|c| c.architecture.tokens = 16,
        &|c| c.architecture.inputs = 192,
        &|c| c.preprocessing.size = 64,
        &|c| c.preprocessing.stride = 0,
        &|c| c.preprocessing.patch = 0,
        &|c| c.preprocessing.patch = 41,
        &|c| c.preprocessing.pad = usize::MAX / 2,
        &|c| c.preprocessing.std[1] = 0.0,
        &|c| c.name = "../etc".into(),
        &|c| c.name = String::new(),
        &|c| c.task = Task::Complete,
    ];
    for (index, edit) in edits.iter().enumerate() {
        assert!(
            matches!(change(edit), Err(ModelError::Config(_))),
            "{index}"
        );
    }
    assert!(matches!(
        Config::from_json(b"{}"),
        Err(ModelError::Json { .. })
    ));
}

#[test]
fn names_the_file_it_cannot_read() {
    let error = Vit::load(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(
        error.to_string().contains("/nowhere/at/all/config.json"),
        "{error}"
    );
}

#[test]
fn raw_pixels_must_have_the_right_length() {
    assert!(image::Rgb32::try_from([0u8; 3072].as_slice()).is_ok());
    for length in [0, 3071, 3073, 4096] {
        assert!(
            matches!(image::Rgb32::try_from(vec![0; length].as_slice()), Err(image::ImageError::Length(n)) if n == length)
        );
    }
}

#[test]
fn patches_follow_the_order_of_unfold_with_zeros_outside() {
    let mut pixels = [0u8; 3072];
    for (i, p) in pixels.iter_mut().enumerate() {
        *p = (i * 7 % 251) as u8;
    }
    let p = config().preprocessing;
    let patches = image::patches(&image::Rgb32(pixels), &p);
    assert_eq!(patches.dim(), (9, 768));
    assert_eq!(patches[[0, 0]], 0.0);
    // Token (1, 2), channel 2, offset (3, 5): pixel row 12 − 4 + 3, column 24 − 4 + 5.
    let byte = pixels[3 * (11 * 32 + 25) + 2];
    let expected = (f32::from(byte) / 255.0 - 0.3) / 0.4;
    assert!((patches[[5, 2 * 256 + 3 * 16 + 5]] - expected).abs() < 1e-6);
}
