//! The language model's two halves against loops over single numbers.

use std::{fs, path::Path};

use model::{Embedding, Linear, Lm, ModelError, Point, Sigma, Task};
use safetensors::SafeTensors;

fn linear(map: &Linear, x: &[f64]) -> Vec<f64> {
    (0..map.bias.len())
        .map(|o| {
            let sum = x
                .iter()
                .enumerate()
                .map(|(i, &v)| f64::from(map.weight[[o, i]]) * v)
                .sum::<f64>();
            f64::from(map.bias[o]) + sum
        })
        .collect()
}

fn normalised(x: &[f64]) -> Vec<f64> {
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
    x.iter()
        .map(|v| (v - mean) / (variance + 1e-5).sqrt())
        .collect()
}

/// What followed the latest `s < t` at which the last `order` tokens are those at `t`.
fn follower(tokens: &[u32], t: usize, order: usize) -> Option<u32> {
    let alike =
        |&s: &usize| (0..order).all(|back| s >= back && tokens[s - back] == tokens[t - back]);
    (0..t).filter(alike).max().map(|s| tokens[s + 1])
}

/// Every position's vector, one query at a time, looking at nothing that follows it.
fn by_loops(lm: &Lm, embedding: &Embedding, tokens: &[u32]) -> Vec<Vec<f64>> {
    let shape = &lm.config.architecture;
    let width = shape.width / shape.heads;
    let mut x: Vec<Vec<f64>> = tokens
        .iter()
        .enumerate()
        .map(|(t, &token)| {
            let sum: Vec<f64> = (0..shape.width)
                .map(|c| {
                    let vector = |token: u32| f64::from(embedding.weight[[token as usize, c]]);
                    let recalled = |order: usize| {
                        follower(tokens, t, order).map_or(0.0, |follower| {
                            f64::from(embedding.recall[[order - 1, c]]) * vector(follower)
                        })
                    };
                    let position = f64::from(embedding.position[[t, c]]);
                    vector(token) + position + recalled(1) + recalled(2)
                })
                .collect();
            normalised(&sum)
        })
        .collect();
    for block in &lm.blocks {
        let Sigma::Causal {
            gain,
            shift,
            offset,
        } = &block.sigma
        else {
            panic!("a language model is causal");
        };
        let n: Vec<Vec<f64>> = x
            .iter()
            .map(|row| {
                let square: f64 = row.iter().map(|v| v * v).sum();
                let factor = block.norm.map_or(1.0, |slope| 1.5 - slope * square);
                row.iter().map(|v| v * factor).collect()
            })
            .collect();
        let each =
            |map: &Linear| -> Vec<Vec<f64>> { n.iter().map(|row| linear(map, row)).collect() };
        let (q, k, v, h) = (
            each(&block.query),
            each(&block.key),
            each(&block.value),
            each(&block.up),
        );
        let mut next = x.clone();
        for t in 0..tokens.len() {
            let mut y = vec![0.0; shape.width];
            for s in 0..=t {
                for c in 0..shape.width {
                    let head = c / width;
                    let dot: f64 = (head * width..(head + 1) * width)
                        .map(|j| q[t][j] * k[s][j])
                        .sum();
                    let w = f64::from(gain[[head, t - s]]) * (dot + f64::from(shift[head]));
                    y[c] += (w * w + f64::from(offset[[head, t - s]])) * v[s][c];
                }
            }
            let squares: Vec<f64> = h[t].iter().map(|u| u * u).collect();
            let (attention, mlp) = (linear(&block.output, &y), linear(&block.down, &squares));
            for c in 0..shape.width {
                next[t][c] += attention[c] + mlp[c];
            }
        }
        x = next;
    }
    x
}

/// Seven tokens over and over, one of them twice in a row.
fn tokens(seed: u32) -> Vec<u32> {
    let token = |t: u32| (seed + t * t * 7 + 3 * t) % 40;
    (0..16).map(|t| token(t % 7)).collect()
}

#[test]
fn agrees_with_loops_over_single_numbers() {
    let (lm, embedding) = Lm::small(3, 40, 3).unwrap();
    let tokens = tokens(5);
    let rows = embedding.rows(&tokens).unwrap();
    let found = lm.hidden_observed(&rows, |_, _| {});
    let expected = by_loops(&lm, &embedding, &tokens);
    for (row, expected) in found.rows().into_iter().zip(&expected) {
        for (f, e) in row.iter().zip(expected) {
            assert!((f - e).abs() < 1e-6 * e.abs().max(1.0), "{f} {e}");
        }
    }
    let last = lm.hidden(&rows);
    assert_eq!(last[7], found[[15, 7]] as f32);
}

/// Windows, vectors and scores that `models/training/text/export.py` computed with PyTorch for the released weights.
#[test]
fn released_model_agrees_with_pytorch_and_with_its_ranges() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../models/wiki-lm");
    let lm = Lm::load(&folder).unwrap();
    let shape = &lm.config.architecture;
    let embedding = Embedding::load(&folder, shape).unwrap();
    let bytes = fs::read(here.join("tests/data/lm-reference.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let words = |name: &str| {
        let tensor = reference.tensor(name).unwrap();
        tensor.data().as_chunks().0.to_vec()
    };
    let floats =
        |name: &str| -> Vec<f32> { words(name).into_iter().map(f32::from_le_bytes).collect() };
    let tokens: Vec<u32> = words("tokens")
        .into_iter()
        .map(u32::from_le_bytes)
        .collect();
    let (hidden, logits) = (floats("hidden"), floats("logits"));
    let windows = tokens.chunks_exact(shape.window);
    assert_eq!(windows.len(), 4);
    for ((tokens, hidden), logits) in windows
        .zip(hidden.chunks_exact(shape.width))
        .zip(logits.chunks_exact(shape.vocabulary))
    {
        let mut peak = 0.0f64;
        let all = lm.hidden_observed(&embedding.rows(tokens).unwrap(), |point, value| {
            if let Point::Stream(2) = point {
                peak = value.iter().fold(peak, |peak, v| peak.max(v.abs()));
            }
        });
        let found: Vec<f32> = all
            .row(shape.window - 1)
            .iter()
            .map(|&v| v as f32)
            .collect();
        close(&found, hidden);
        close(&embedding.logits(&found).unwrap(), logits);
        assert!(peak > 1.0 && peak <= lm.config.ranges.blocks[2].stream * 1.001);
    }
}

/// Within a ten-thousandth of the range.
fn close(found: &[f32], expected: &[f32]) {
    let largest = expected.iter().copied().fold(f32::MIN, f32::max);
    let range = largest - expected.iter().copied().fold(f32::MAX, f32::min);
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-4 * range, "{f} {e}");
    }
}

#[test]
fn no_position_sees_what_follows() {
    let (lm, embedding) = Lm::small(3, 40, 9).unwrap();
    let mut changed = tokens(1);
    let hidden = |tokens: &[u32]| {
        lm.hidden_observed(&embedding.rows(tokens).unwrap(), |point, value| {
            if let Point::Attention(..) = point {
                assert_eq!(value[[4, 5]], 0.0);
            }
        })
    };
    let before = hidden(&changed);
    changed[9] += 1;
    let after = hidden(&changed);
    for t in 0..16 {
        assert_eq!(before.row(t) == after.row(t), t < 9, "position {t}");
    }
}

#[test]
fn scores_are_products_with_the_tied_vectors() {
    let (_, embedding) = Lm::small(1, 40, 2).unwrap();
    let hidden: Vec<f32> = (0..32).map(|c| 3.0 + (c as f32 * 0.7).sin()).collect();
    let scores = embedding.logits(&hidden).unwrap();
    assert_eq!(scores.len(), 40);
    let normed = normalised(&hidden.iter().copied().map(f64::from).collect::<Vec<_>>());
    let expected: f64 = (0..32)
        .map(|c| {
            let (weight, bias) = (embedding.norm_weight[c], embedding.norm_bias[c]);
            let value = normed[c] * f64::from(weight) + f64::from(bias);
            f64::from(embedding.weight[[17, c]]) * value
        })
        .sum();
    assert!((f64::from(scores[17]) - expected - f64::from(embedding.bias[17])).abs() < 1e-6);
}

#[test]
fn refuses_what_is_no_window() {
    let (lm, embedding) = Lm::small(1, 40, 2).unwrap();
    assert!(matches!(
        embedding.rows(&[0; 15]),
        Err(ModelError::Window {
            expected: 16,
            found: 15
        })
    ));
    assert!(matches!(
        embedding.rows(&[40; 16]),
        Err(ModelError::Token(40))
    ));
    assert!(matches!(
        embedding.logits(&[0.0; 31]),
        Err(ModelError::Width { .. })
    ));
    let mut config = lm.config.clone();
    config.pad = 40;
    assert!(matches!(config.check(), Err(ModelError::Config(_))));
    for norms in [vec![], vec![0.1; 2], vec![0.0], vec![f64::NAN]] {
        let config = model::lm::Config {
            norms,
            ..Lm::small(2, 40, 2).unwrap().0.config
        };
        assert!(matches!(config.check(), Err(ModelError::Config(_))));
    }
    let json = serde_json::to_vec(&lm.config).unwrap();
    assert_eq!(Task::of(&json).unwrap(), Task::Complete);
    assert!(matches!(
        model::vit::Config::from_json(&json),
        Err(ModelError::Json { .. })
    ));
}

#[test]
fn halves_are_read_as_they_are_written() {
    let (_, embedding) = Lm::small(1, 5, 2).unwrap();
    let bytes = |values: &ndarray::ArrayD<f32>| -> Vec<u8> {
        values
            .iter()
            .flat_map(|&v| half::f16::from_f32(v).to_le_bytes())
            .collect()
    };
    let tensors = [
        (
            "embed.weight",
            vec![5, 32],
            bytes(&embedding.weight.clone().into_dyn()),
        ),
        (
            "embed.position",
            vec![16, 32],
            bytes(&embedding.position.clone().into_dyn()),
        ),
        (
            "embed.recall",
            vec![2, 32],
            bytes(&embedding.recall.clone().into_dyn()),
        ),
        ("bias", vec![5], bytes(&embedding.bias.clone().into_dyn())),
        (
            "norm.weight",
            vec![32],
            bytes(&embedding.norm_weight.clone().into_dyn()),
        ),
        (
            "norm.bias",
            vec![32],
            bytes(&embedding.norm_bias.clone().into_dyn()),
        ),
    ];
    let views = tensors.iter().map(|(name, shape, data)| {
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F16, shape.clone(), data);
        (*name, view.unwrap())
    });
    let file = safetensors::serialize(views, None).unwrap();
    let read = Embedding::from_bytes(&file, 16, 32, 5).unwrap();
    for (a, b) in read.weight.iter().zip(&embedding.weight) {
        assert!((a - b).abs() <= b.abs() / 1024.0, "{a} {b}");
    }
    assert!(matches!(
        Embedding::from_bytes(&file, 16, 32, 6),
        Err(ModelError::Shape { .. })
    ));
}
