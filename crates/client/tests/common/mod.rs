//! Files of a small language model, made from one in memory.

use client::model::Embedding;

/// What `embedding.safetensors` holds, in 32 bits.
pub fn embedding_file(embedding: &Embedding) -> Vec<u8> {
    let tensors = [
        ("embed.weight", embedding.weight.view().into_dyn()),
        ("embed.position", embedding.position.view().into_dyn()),
        ("embed.recall", embedding.recall.view().into_dyn()),
        ("bias", embedding.bias.view().into_dyn()),
        ("norm.weight", embedding.norm_weight.view().into_dyn()),
        ("norm.bias", embedding.norm_bias.view().into_dyn()),
    ];
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        header.push(format!(
            r#""{name}":{{"dtype":"F32","shape":{:?},"data_offsets":[{start},{}]}}"#,
            values.shape(),
            data.len()
        ));
    }
    let header = format!("{{{}}}", header.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}
