//! The language model's two halves against loops over single numbers.

use model::{Embedding, Linear, Lm, ModelError, Point, Sigma, Task};

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

/// Every position's vector, one query at a time, looking at nothing that follows it.
fn by_loops(lm: &Lm, embedding: &Embedding, tokens: &[u32]) -> Vec<Vec<f64>> {
    let shape = &lm.config.architecture;
    let width = shape.width / shape.heads;
    let mut x: Vec<Vec<f64>> = tokens
        .iter()
        .enumerate()
        .map(|(t, &token)| {
            (0..shape.width)
                .map(|c| {
                    f64::from(embedding.weight[[token as usize, c]] + embedding.position[[t, c]])
                })
                .collect()
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
        let each =
            |map: &Linear| -> Vec<Vec<f64>> { x.iter().map(|row| linear(map, row)).collect() };
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
    for row in &mut x {
        for (c, value) in row.iter_mut().enumerate() {
            *value = *value * f64::from(lm.norm.scale[c]) + f64::from(lm.norm.shift[c]);
        }
    }
    x
}

fn tokens(seed: u32) -> Vec<u32> {
    (0..16).map(|t| (seed + t * t * 7 + 3 * t) % 40).collect()
}

#[test]
fn agrees_with_loops_over_single_numbers() {
    let (lm, embedding) = Lm::small(2, 40, 3).unwrap();
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
    let hidden: Vec<f32> = (0..32).map(|c| (c as f32 * 0.7).sin()).collect();
    let scores = embedding.logits(&hidden).unwrap();
    assert_eq!(scores.len(), 40);
    let expected: f64 = (0..32)
        .map(|c| f64::from(embedding.weight[[17, c]]) * f64::from(hidden[c]))
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
        ("bias", vec![5], bytes(&embedding.bias.clone().into_dyn())),
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
