//! Files of small models, made from what is in memory.
#![allow(dead_code)]

use client::model::Embedding;

/// What `embedding.safetensors` holds.
pub fn embedding_file(embedding: &Embedding) -> Vec<u8> {
    macro_rules! tensor {
        ($name:literal, $values:expr) => {
            (
                $name,
                $values.shape().to_vec(),
                $values.iter().copied().collect(),
            )
        };
    }
    file(&[
        tensor!("embed.weight", embedding.weight),
        tensor!("embed.position", embedding.position),
        tensor!("embed.recall", embedding.recall),
        tensor!("bias", embedding.bias),
        tensor!("norm.weight", embedding.norm_weight),
        tensor!("norm.bias", embedding.norm_bias),
    ])
}

/// A safetensors file of 32 bits a value: name, shape and values of each tensor.
pub fn file(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        header.push(format!(
            r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{start},{}]}}"#,
            data.len()
        ));
    }
    let header = format!("{{{}}}", header.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}
