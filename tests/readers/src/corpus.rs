//! Sound inputs of every reader, small enough to be changed in every place.

use crate::{engine::RING, manifests};
use ckks::{
    CiphertextSpec, Complex64, Encryptor, KeyGenerator, KeyKind, KeySpec, SecretKey, Seed, Subring,
};
use protocol::{
    container::{self, ObjectType},
    events::{Event, Progress},
    manifest::Manifest,
};
use safetensors::{Dtype, tensor::TensorView};
use std::{error::Error, path::PathBuf};

pub(crate) const VIT_CONFIG: &[u8] = include_bytes!("../corpus/config/vit.json");
/// With a convolution.
pub(crate) const STEM_CONFIG: &[u8] = include_bytes!("../corpus/config/stem.json");
pub(crate) const LM_CONFIG: &[u8] = include_bytes!("../corpus/config/lm.json");

/// Where a reader's files are.
#[must_use]
pub fn folder(reader: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus")).join(reader)
}

/// A file of the corpus.
pub struct Sound {
    /// Whose file it is.
    pub reader: &'static str,
    /// Its name in the reader's folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Sound {
    fn new(reader: &'static str, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            reader,
            name: name.into(),
            bytes: bytes.into(),
        }
    }
}

/// The sound files of the binary formats and of the manifest, which name digests; the others are kept by hand.
///
/// # Errors
/// Of an object that cannot be made.
pub fn sound() -> Result<Vec<Sound>, Box<dyn Error>> {
    let secret = SecretKey::new(&RING, &Seed::from_bytes([1; 32]));
    let sealed = container::write(ObjectType::Query, &RING.digest(), b"payload");
    let progress = Event::Progress(Progress {
        layer: "embed".into(),
        done: 1,
        total: 2,
        elapsed_ms: 3,
        eta_ms: None,
    });
    let stream = [progress.to_sse()?, Event::Done.to_sse()?].concat();
    let mut files = vec![
        Sound::new("container", "query", sealed),
        Sound::new("manifest", "classify", json(&manifests::sound()?)?),
        Sound::new("manifest", "complete", json(&manifests::completion()?)?),
        Sound::new("events", "stream", stream),
    ];
    files.extend(keys(&secret)?);
    files.extend(ciphertexts(&secret)?);
    files.extend(weights()?);
    files.extend(pictures()?);
    Ok(files)
}

fn json(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(manifest)
}

fn keys(secret: &SecretKey) -> Result<Vec<Sound>, Box<dyn Error>> {
    let generator = KeyGenerator::new(&RING, secret);
    let mut files = Vec::new();
    for (name, byte, kind) in [
        ("relinearization", 0, KeyKind::Relinearization),
        ("galois", 5, KeyKind::Galois(5)),
    ] {
        let key = generator.generate(&KeySpec { kind, level: 1 })?;
        let bytes = [&[1, byte], &key.to_bytes(&RING)[..]].concat();
        files.push(Sound::new("key", name, bytes));
    }
    Ok(files)
}

fn ciphertexts(secret: &SecretKey) -> Result<Vec<Sound>, Box<dyn Error>> {
    let encryptor = Encryptor::new(&RING, secret);
    let mut files = Vec::new();
    for (index, subring) in [Subring::Full, Subring::Even, Subring::Real]
        .into_iter()
        .enumerate()
    {
        let spec = CiphertextSpec {
            level: 1,
            log_scale: 30.0,
            subring,
        };
        let slots = vec![Complex64::ONE; spec.slots(&RING)];
        let sent = encryptor.encrypt_repeatably(&slots, &spec, &Seed::from_bytes([2; 32]))?;
        let choice = [1, 90 + index as u8];
        let bytes = [&choice, &sent.to_bytes(&RING)[..]].concat();
        files.push(Sound::new("ciphertext", format!("seeded-{index}"), bytes));
        if subring == Subring::Full {
            let bytes = [&choice, &sent.expand(&RING).to_bytes(&RING)[..]].concat();
            files.push(Sound::new("ciphertext", "expanded", bytes));
        }
    }
    Ok(files)
}

/// Zeros in the shapes of the configurations.
fn weights() -> Result<Vec<Sound>, Box<dyn Error>> {
    let ends = "embed.weight 2 3, embed.position 4 2, head.weight 2 2, head.bias 2";
    let vit = format!("{ends}, {BLOCK}, blocks.0.scores.shift 1, blocks.0.scores.offset 1");
    let stem = "convolutions.0.weight 1 12, convolutions.0.bias 1, last.weight 3 1";
    let sigma = "blocks.0.scores.gain 1 4, blocks.0.scores.shift 1, blocks.0.scores.offset 1 4";
    let lm = format!("{BLOCK}, {sigma}");
    let embedding = "embed.weight 3 2, embed.position 4 2, embed.recall 2 2, bias 3, norm.weight 2, norm.bias 2";
    [
        ("vit", vit.as_str()),
        ("stem", stem),
        ("lm", &lm),
        ("embedding", embedding),
    ]
    .into_iter()
    .map(|(name, list)| Ok(Sound::new("safetensors", name, tensors(list)?)))
    .collect()
}

/// A picture in each format.
fn pictures() -> Result<Vec<Sound>, Box<dyn Error>> {
    let pixels = image::RgbaImage::from_fn(5, 4, |x, y| {
        image::Rgba([60 * x as u8, 60 * y as u8, 9, 200])
    });
    let mut files = Vec::new();
    for (name, format) in [
        ("png", image::ImageFormat::Png),
        ("jpeg", image::ImageFormat::Jpeg),
        ("webp", image::ImageFormat::WebP),
    ] {
        let mut file = std::io::Cursor::new(Vec::new());
        match format {
            image::ImageFormat::Jpeg => image::DynamicImage::from(pixels.clone())
                .to_rgb8()
                .write_to(&mut file, format)?,
            _ => pixels.write_to(&mut file, format)?,
        }
        files.push(Sound::new("image", name, file.into_inner()));
    }
    Ok(files)
}

/// The tensors of a block of both configurations: name and shape.
const BLOCK: &str = "blocks.0.query.weight 2 2, blocks.0.query.bias 2, blocks.0.key.weight 2 2, blocks.0.key.bias 2, \
    blocks.0.value.weight 2 2, blocks.0.value.bias 2, blocks.0.output.weight 2 2, blocks.0.output.bias 2, \
    blocks.0.up.weight 2 2, blocks.0.up.bias 2, blocks.0.down.weight 2 2, blocks.0.down.bias 2";

fn tensors(list: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let zeros = [0; 64];
    let mut views = Vec::new();
    for line in list.split(", ") {
        let (name, shape) = line.split_once(' ').ok_or(line)?;
        let shape = shape
            .split(' ')
            .map(str::parse)
            .collect::<Result<Vec<usize>, _>>()?;
        let bytes = &zeros[..4 * shape.iter().product::<usize>()];
        views.push((name, TensorView::new(Dtype::F32, shape, bytes)?));
    }
    Ok(safetensors::serialize(views, None)?)
}
