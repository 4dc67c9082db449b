//! Files of a small language model, made from one in memory.

use client::model::Embedding;

/// What `embedding.safetensors` holds, in 32 bits.
pub fn embedding_file(embedding: &Embedding) -> Vec<u8> {
    let tensors = [
        (
            "embed.weight",
            embedding.weight.shape(),
            embedding.weight.iter().copied().collect::<Vec<f32>>(),
        ),
        (
            "embed.position",
            embedding.position.shape(),
            embedding.position.iter().copied().collect(),
        ),
        (
            "bias",
            embedding.bias.shape(),
            embedding.bias.iter().copied().collect(),
        ),
        (
            "norm.weight",
            embedding.norm_weight.shape(),
            embedding.norm_weight.iter().copied().collect(),
        ),
        (
            "norm.bias",
            embedding.norm_bias.shape(),
            embedding.norm_bias.iter().copied().collect(),
        ),
    ];
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
