//! A network small enough to compute by hand-written loops.
#![allow(dead_code)]

use std::collections::BTreeMap;

use model::{
    BlockRanges, Task,
    vit::{Accuracy, Architecture, Config, Preprocessing, Ranges},
};
use safetensors::{Dtype, tensor::TensorView};

pub const BLOCKS: usize = 2;

pub fn config() -> Config {
    Config {
        name: "tiny".into(),
        task: Task::Classify,
        architecture: Architecture {
            tokens: 9,
            inputs: 768,
            width: 8,
            heads: 2,
            hidden: 12,
            blocks: BLOCKS,
            classes: 5,
            displacements: false,
        },
        preprocessing: Preprocessing {
            size: 32,
            mean: [0.5, 0.4, 0.3],
            std: [0.2, 0.3, 0.4],
            pad: 4,
            patch: 16,
            stride: 12,
            convolutions: Vec::new(),
        },
        ranges: Ranges {
            images: 1,
            embed: 1.0,
            blocks: vec![BlockRanges::default(); BLOCKS],
            logits: 1.0,
        },
        accuracy: Accuracy {
            top1: 0.0,
            top5: 0.0,
            images: 1,
        },
        training: serde_json::Map::new(),
    }
}

pub fn config_json() -> Vec<u8> {
    serde_json::to_vec(&config()).unwrap()
}

/// Name to shape and values.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Every tensor of the tiny network, spelt out from the format's description.
pub fn tensors() -> Tensors {
    let mut out = Tensors::new();
    let mut state = 1u32;
    let mut add = |name: String, shape: &[usize]| {
        let values = (0..shape.iter().product::<usize>())
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / 8_388_608.0 - 1.0) / (shape[shape.len() - 1] as f32).sqrt()
            })
            .collect();
        out.insert(name, (shape.to_vec(), values));
    };
    add("embed.weight".into(), &[8, 768]);
    add("embed.position".into(), &[9, 8]);
    for i in 0..BLOCKS {
        for (part, rows, columns) in [
            ("query", 8, 8),
            ("key", 8, 8),
            ("value", 8, 8),
            ("output", 8, 8),
            ("up", 12, 8),
            ("down", 8, 12),
        ] {
            add(format!("blocks.{i}.{part}.weight"), &[rows, columns]);
            add(format!("blocks.{i}.{part}.bias"), &[rows]);
        }
        add(format!("blocks.{i}.scores.shift"), &[2]);
        add(format!("blocks.{i}.scores.offset"), &[2]);
    }
    add("head.weight".into(), &[5, 8]);
    add("head.bias".into(), &[5]);
    out
}

pub fn file(tensors: &Tensors) -> Vec<u8> {
    let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            (
                name,
                shape,
                values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, data)| {
        (
            name.as_str(),
            TensorView::new(Dtype::F32, (*shape).clone(), data).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}
