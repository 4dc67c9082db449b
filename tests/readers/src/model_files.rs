//! What a model's folder holds, and pictures.

use model::{lm, vit};
use tokenizer::{Ending, Tokenizer};

/// `config.json` of either task.
pub(crate) fn config(bytes: &[u8]) {
    if let Ok(config) = vit::Config::from_json(bytes) {
        assert!(config.check().is_ok());
        let steps = &config.preprocessing;
        assert_eq!(steps.tokens(), config.architecture.tokens);
    }
    if let Ok(config) = lm::Config::from_json(bytes) {
        assert!(config.check().is_ok());
    }
}

/// Weights, for the configurations of [`crate::sound`].
pub(crate) fn safetensors(bytes: &[u8]) {
    if let Ok(vit) = vit::Vit::from_bytes(crate::corpus::VIT_CONFIG, bytes, None) {
        assert!(vit.head.weight.iter().all(|w| w.is_finite()));
    }
    if let Ok(config) = vit::Config::from_json(crate::corpus::STEM_CONFIG)
        && let Ok(stem) = vit::Stem::from_bytes(&config.preprocessing, Some(bytes))
    {
        let patches = stem.patches(&model::image::Rgb32([1; 3072]));
        assert_eq!(patches.dim(), (4, 3));
    }
    let _ = lm::Lm::from_bytes(crate::corpus::LM_CONFIG, bytes);
    let _ = lm::Embedding::from_bytes(bytes, 4, 2, 3);
}

/// `labels.json`.
pub(crate) fn labels(bytes: &[u8]) {
    for classes in [0, 2, 100] {
        if let Ok(names) = model::labels::parse(bytes, classes) {
            assert_eq!(names.len(), classes);
        }
    }
}

/// A PNG, JPEG or WebP file.
pub(crate) fn image(bytes: &[u8]) {
    let _ = model::image::decode(bytes);
}

/// `tokenizer.json` of 266 tokens: what it takes and does not refuse to encode comes back, whole and as it grows.
pub(crate) fn tokenizer(bytes: &[u8]) {
    const TEXT: &str = "the <|pad|> in\u{e9}  \u{1f600}\n\u{5e9}";
    let Ok(tokenizer) = Tokenizer::new(bytes, 266) else {
        return;
    };
    let Ok(ids) = tokenizer.encode(TEXT) else {
        return;
    };
    assert_eq!(tokenizer.decode(&ids, Ending::Closed).as_deref(), Ok(TEXT));
    for count in 0..ids.len() {
        let shown = tokenizer.decode(&ids[..count], Ending::Open);
        assert!(shown.is_ok_and(|shown| TEXT.starts_with(&shown)));
    }
}
