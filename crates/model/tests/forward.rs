//! The forward pass against loops over single numbers, and against PyTorch.

mod common;

use std::path::Path;

use common::{BLOCKS, Tensors, config, config_json, file, tensors};
use model::{Point, Vit, image};
use ndarray::Array2;
use safetensors::SafeTensors;

/// W x + b on one token, straight from the tensors.
fn linear(tensors: &Tensors, name: &str, x: &[f64]) -> Vec<f64> {
    let (shape, weight) = &tensors[&format!("{name}.weight")];
    let bias = &tensors[&format!("{name}.bias")].1;
    (0..shape[0])
        .map(|o| {
            let row = &weight[o * shape[1]..(o + 1) * shape[1]];
            f64::from(bias[o])
                + row
                    .iter()
                    .zip(x)
                    .map(|(&w, &v)| f64::from(w) * v)
                    .sum::<f64>()
        })
        .collect()
}

fn by_loops(tensors: &Tensors, patches: &Array2<f32>) -> Vec<f64> {
    let (t, d, heads, f) = (9, 8, 2, 4);
    let embed = &tensors["embed.weight"].1;
    let position = &tensors["embed.position"].1;
    let mut x = vec![vec![0.0; d]; t];
    for token in 0..t {
        for c in 0..d {
            x[token][c] = f64::from(position[token * d + c]);
            for j in 0..768 {
                x[token][c] += f64::from(embed[c * 768 + j]) * f64::from(patches[[token, j]]);
            }
        }
    }
    for i in 0..BLOCKS {
        let each = |part: &str| -> Vec<Vec<f64>> {
            x.iter()
                .map(|row| linear(tensors, &format!("blocks.{i}.{part}"), row))
                .collect()
        };
        let (q, k, v, mut h) = (each("query"), each("key"), each("value"), each("up"));
        let mut next = x.clone();
        for token in 0..t {
            let mut y = vec![0.0; d];
            for head in 0..heads {
                let r = f64::from(tensors[&format!("blocks.{i}.scores.shift")].1[head]);
                let (shape, offset) = &tensors[&format!("blocks.{i}.scores.offset")];
                for other in 0..t {
                    let entry = match shape[..] {
                        [_, entries] => {
                            let down = token / 3 + 2 - other / 3;
                            head * entries + 5 * down + token % 3 + 2 - other % 3
                        }
                        _ => head,
                    };
                    let delta = f64::from(offset[entry]);
                    let s: f64 = (0..f)
                        .map(|c| q[token][head * f + c] * k[other][head * f + c])
                        .sum();
                    let a = (s + r) * (s + r) + delta;
                    for c in head * f..(head + 1) * f {
                        y[c] += a * v[other][c];
                    }
                }
            }
            h[token].iter_mut().for_each(|u| *u *= *u);
            let attention = linear(tensors, &format!("blocks.{i}.output"), &y);
            let mlp = linear(tensors, &format!("blocks.{i}.down"), &h[token]);
            for c in 0..d {
                next[token][c] += attention[c] + mlp[c];
            }
        }
        x = next;
    }
    let mean: Vec<f64> = (0..d)
        .map(|c| x.iter().map(|row| row[c]).sum::<f64>() / t as f64)
        .collect();
    linear(tensors, "head", &mean)
}

#[test]
fn agrees_with_loops_over_single_numbers() {
    agrees(&config_json(), &tensors());
}

#[test]
fn agrees_with_loops_where_offsets_know_the_displacement() {
    let mut config = config();
    config.architecture.displacements = true;
    let mut tensors = tensors();
    for i in 0..BLOCKS {
        let entries = (0..2 * 25).map(|e| 0.01 * (e * e % 31) as f32).collect();
        tensors.insert(format!("blocks.{i}.scores.offset"), (vec![2, 25], entries));
    }
    agrees(&serde_json::to_vec(&config).unwrap(), &tensors);
}

fn agrees(config_json: &[u8], tensors: &Tensors) {
    let vit = Vit::from_bytes(config_json, &file(tensors), None).unwrap();
    let patches = Array2::from_shape_fn((9, 768), |(t, j)| {
        ((t * 31 + j * 17) % 23) as f32 / 11.0 - 1.0
    });
    let expected = by_loops(tensors, &patches);
    let found = vit.logits_observed(&patches, |_, _| {});
    for (e, f) in expected.iter().zip(&found) {
        assert!((e - f).abs() < 1e-9 * e.abs().max(1.0), "{e} {f}");
    }
    assert!(expected.iter().any(|e| e.abs() > 1e-2));
}

#[test]
fn shows_every_value_once_in_order() {
    let vit = Vit::random(config(), 7).unwrap();
    let mut seen = Vec::new();
    vit.logits_observed(&Array2::ones((9, 768)), |point, value| {
        seen.push((point, value.dim()))
    });
    assert_eq!(seen[0], (Point::Embed, (9, 8)));
    assert_eq!(seen[4], (Point::Scores(0, 0), (9, 9)));
    assert_eq!(seen.last(), Some(&(Point::Stream(BLOCKS - 1), (9, 8))));
    assert_eq!(seen.len(), 1 + BLOCKS * (3 + 2 * 2 + 3));
}

#[test]
fn random_weights_depend_on_the_seed_alone() {
    let make = |seed| Vit::random(config(), seed).unwrap();
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
    assert!(
        make(1)
            .logits(&Array2::ones((9, 768)))
            .iter()
            .all(|v| v.is_finite())
    );
}

#[test]
#[should_panic(expected = "wrong shape")]
fn refuses_patches_of_another_shape() {
    Vit::random(config(), 1)
        .unwrap()
        .logits(&Array2::zeros((9, 767)));
}

/// Images and logits that `models/training/vision/export.py` computed with PyTorch for the released weights.
#[test]
fn released_models_agree_with_pytorch_and_with_their_ranges() {
    released("cifar100-vit", "reference");
    released("cifar100-vit-deep", "deep-reference");
}

fn released(model: &str, reference: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vit = Vit::load(&here.join("../../models").join(model)).unwrap();
    let path = format!("tests/data/{reference}.safetensors");
    let bytes = std::fs::read(here.join(path)).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let expected: Vec<f32> = reference
        .tensor("logits")
        .unwrap()
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|&w| f32::from_le_bytes(w))
        .collect();
    let images = reference.tensor("images").unwrap();
    let span = expected.iter().copied().fold(f32::MIN, f32::max)
        - expected.iter().copied().fold(f32::MAX, f32::min);
    let mut largest = [0.0f64; 2];
    for (pixels, expected) in images
        .data()
        .chunks_exact(3072)
        .zip(expected.chunks_exact(100))
    {
        let patches = vit.patches(&image::Rgb32::try_from(pixels).unwrap());
        let found = vit.logits_observed(&patches, |point, value| {
            let peak = value.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            match point {
                Point::Scores(0, _) => largest[0] = largest[0].max(peak),
                Point::Stream(2) => largest[1] = largest[1].max(peak),
                _ => {}
            }
        });
        for (e, f) in expected.iter().zip(&found) {
            assert!(
                (f64::from(*e) - f).abs() < 1e-4 * f64::from(span),
                "{e} {f}"
            );
        }
    }
    assert_eq!(expected.len(), 400);
    let ranges = &vit.config.ranges.blocks;
    for (seen, recorded) in largest.iter().zip([ranges[0].scores, ranges[2].stream]) {
        assert!(
            *seen > 0.05 * recorded && *seen <= 1.001 * recorded,
            "{seen} {recorded}"
        );
    }
}
