//! The client's convolutions: against the definition, and what is refused.

mod common;

use std::path::Path;

use common::{Tensors, config, file};
use model::{
    ModelError, Preprocessing,
    image::{self, Rgb32},
    vit::{ConvolutionShape, Stem},
};

const SHAPES: [ConvolutionShape; 2] = [
    ConvolutionShape {
        channels: 2,
        size: 4,
        stride: 2,
        pad: 1,
    },
    ConvolutionShape {
        channels: 3,
        size: 3,
        stride: 5,
        pad: 0,
    },
];
const SIDE: usize = 3;

fn steps() -> Preprocessing {
    Preprocessing {
        pad: 0,
        patch: 8,
        convolutions: SHAPES.to_vec(),
        ..config().preprocessing
    }
}

fn tensors() -> Tensors {
    let mut all = Tensors::new();
    let mut add = |name: &str, shape: &[usize]| {
        let count: usize = shape.iter().product();
        let salt = name.len();
        let values = (0..count).map(|i| ((i * 37 + salt * 11) % 29) as f32 / 29.0 - 0.5);
        all.insert(name.to_owned(), (shape.to_vec(), values.collect()));
    };
    let mut channels = 3;
    for (i, shape) in SHAPES.iter().enumerate() {
        let taps = channels * shape.size * shape.size;
        add(&format!("convolutions.{i}.weight"), &[shape.channels, taps]);
        add(&format!("convolutions.{i}.bias"), &[shape.channels]);
        channels = shape.channels;
    }
    add("last.weight", &[192, channels]);
    all
}

fn picture() -> Rgb32 {
    Rgb32(std::array::from_fn(|i| (i * 7 % 251) as u8))
}

/// Channel `c` at (`y`, `x`) of the `layer`-th convolution, zero outside: the sum of the definition, term by term, in f64.
fn point(tensors: &Tensors, layer: usize, c: usize, y: i64, x: i64) -> f64 {
    let sides = [32, 16, SIDE as i64];
    if y < 0 || x < 0 || y >= sides[layer] || x >= sides[layer] {
        return 0.0;
    }
    let Some(before) = layer.checked_sub(1) else {
        let (y, x) = (y as usize, x as usize);
        let byte = f32::from(picture().0[3 * (32 * y + x) + c]);
        return f64::from((byte / 255.0 - steps().mean[c]) / steps().std[c]);
    };
    let shape = SHAPES[before];
    let channels = if before == 0 { 3 } else { SHAPES[0].channels };
    let weight = &tensors[&format!("convolutions.{before}.weight")].1;
    let mut sum = f64::from(tensors[&format!("convolutions.{before}.bias")].1[c]);
    for from in 0..channels {
        for dy in 0..shape.size {
            for dx in 0..shape.size {
                let at = ((c * channels + from) * shape.size + dy) * shape.size + dx;
                let moved =
                    |p: i64, d: usize| p * shape.stride as i64 + d as i64 - shape.pad as i64;
                sum += f64::from(weight[at])
                    * point(tensors, before, from, moved(y, dy), moved(x, dx));
            }
        }
    }
    sum.max(0.0)
}

#[test]
fn adds_to_each_patch_what_the_definition_says() {
    let tensors = tensors();
    let stem = Stem::from_bytes(&steps(), Some(&file(&tensors))).unwrap();
    let found = stem.patches(&picture());
    let patches = image::patches(&picture(), &steps());
    assert_eq!(found.dim(), (SIDE * SIDE, 192));
    let mut moved: f64 = 0.0;
    for token in [0, 1, 5, 8] {
        let at = |c| point(&tensors, 2, c, (token / SIDE) as i64, (token % SIDE) as i64);
        let points: Vec<f64> = (0..3).map(at).collect();
        for value in [0, 77, 191] {
            let added: f64 = (0..3)
                .map(|c| f64::from(tensors["last.weight"].1[value * 3 + c]) * points[c])
                .sum();
            let expected = f64::from(patches[[token, value]]) + added;
            let difference = (f64::from(found[[token, value]]) - expected).abs();
            assert!(difference < 1e-5, "{token} {value}: {difference}");
            moved = moved.max(added.abs());
        }
    }
    assert!(moved > 0.02, "{moved}");
}

#[test]
fn nothing_is_added_without_convolutions() {
    let steps = Preprocessing {
        convolutions: Vec::new(),
        ..steps()
    };
    let stem = Stem::from_bytes(&steps, None).unwrap();
    assert_eq!(stem.patches(&picture()), image::patches(&picture(), &steps));
}

#[test]
fn a_file_and_convolutions_come_together_or_not_at_all() {
    let none = Preprocessing {
        convolutions: Vec::new(),
        ..steps()
    };
    let refused = Stem::from_bytes(&none, Some(&file(&tensors()))).unwrap_err();
    assert!(matches!(refused, ModelError::Config(_)), "{refused}");
    let refused = Stem::from_bytes(&steps(), None).unwrap_err();
    assert!(matches!(refused, ModelError::Config(_)), "{refused}");
    let refused = Stem::load(Path::new("/nowhere/at/all"), &steps()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("/nowhere/at/all/stem.safetensors"),
        "{refused}"
    );
}

#[test]
fn refuses_weights_of_other_convolutions() {
    let refusal = |edit: &dyn Fn(&mut Tensors)| {
        let mut tensors = tensors();
        edit(&mut tensors);
        Stem::from_bytes(&steps(), Some(&file(&tensors))).unwrap_err()
    };
    let short = refusal(&|t| t.get_mut("convolutions.1.weight").unwrap().0 = vec![6, 9]);
    assert!(matches!(short, ModelError::Shape { name, .. } if name == "convolutions.1.weight"));
    let missing = refusal(&|t| drop(t.remove("last.weight")));
    assert!(matches!(missing, ModelError::MissingTensor(name) if name == "last.weight"));
    let infinite = refusal(&|t| t.get_mut("convolutions.0.bias").unwrap().1[1] = f32::INFINITY);
    assert!(matches!(infinite, ModelError::NotFinite { index: 1, .. }));
    let more = refusal(&|t| drop(t.insert("convolutions.2.bias".into(), (vec![1], vec![0.0]))));
    assert!(matches!(more, ModelError::UnknownTensor(name) if name == "convolutions.2.bias"));
}

#[test]
fn refuses_convolutions_that_cannot_follow_each_other() {
    type Edit<'e> = &'e dyn Fn(&mut Vec<ConvolutionShape>);
    let refused = |edit: Edit<'_>| {
        let mut steps = steps();
        edit(&mut steps.convolutions);
        let folder = Path::new("/nowhere/at/all");
        [Stem::random(&steps, 1), Stem::load(folder, &steps)]
            .into_iter()
            .all(|refusal| matches!(refusal, Err(ModelError::Config(_))))
    };
    assert!(!refused(&|_| {}));
    // Where it can be, the convolutions still end at as many points as there are patches, so that nothing else is wrong with them.
    let edits: [Edit<'_>; 12] = [
        &|c| c[0].channels = 0,
        &|c| c[0].channels = 1025,
        &|c| c[0].channels = usize::MAX,
        &|c| c[1].size = 0,
        &|c| (c[0].size, c[1].stride) = (17, 3),
        &|c| c[0].stride = 0,
        &|c| (c[0].stride, c[1].size, c[1].stride, c[1].pad) = (17, 4, 1, 2),
        &|c| (c[0].pad, c[1].stride) = (4, 8),
        &|c| c[0].pad = usize::MAX,
        &|c| c[1].stride = 4,
        // Makes more points than it takes.
        &|c| (c[0].stride, c[0].pad, c[1].stride) = (1, 3, 16),
        &|c| {
            let same = ConvolutionShape {
                channels: 3,
                size: 1,
                stride: 1,
                pad: 0,
            };
            c.extend([same; 7]);
        },
    ];
    for (index, edit) in edits.iter().enumerate() {
        assert!(refused(edit), "{index}");
    }
}
