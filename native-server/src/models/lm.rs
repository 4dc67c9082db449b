//! The encrypted language model.

use std::{path::Path, sync::Arc};

use model::{Embedding, Lm};
use protocol::{
    ckks::{Parameters, Plaintext},
    hex::Digest,
    manifest::{Complete, EMBEDDING, FileEntry, Perplexity, TOKENIZER, Task},
};
use transformer::{EncryptedModel, LmNetwork, released_parameters};

use super::{
    File, LoadError, describe::narrow, encrypted::EncryptedEngine, public_files, read,
    weights_digest,
};
use crate::engine::Engine;

pub(super) fn load(folder: &Path, config: &[u8]) -> Result<Arc<dyn Engine>, LoadError> {
    let weights = read(&folder.join("model.safetensors"))?;
    let lm = Lm::from_bytes(config, &weights)?;
    let (tokenizer, embedding) = (
        read(&folder.join(TOKENIZER))?,
        read(&folder.join(EMBEDDING))?,
    );
    let shape = &lm.config.architecture;
    Embedding::from_bytes(&embedding, shape.window, shape.width, shape.vocabulary)?;
    let digest = weights_digest(config, &weights);
    let parameters = released_parameters(|| LmNetwork::new(&lm))?;
    let mut files = vec![(TOKENIZER, tokenizer), (EMBEDDING, embedding)];
    files.extend(public_files(folder, config, weights));
    let engine = engine(&lm, digest, files, &parameters)?;
    Ok(Arc::new(engine.with_record(folder)?))
}

/// Plans a language model that is in memory; clients get the bytes of its tokenizer and of its embedding.
///
/// # Errors
/// As [`super::load`].
pub fn language_model(
    lm: &Lm,
    tokenizer: Vec<u8>,
    embedding: Vec<u8>,
    weights: Digest,
    parameters: &Parameters,
) -> Result<Arc<dyn Engine>, LoadError> {
    let files = vec![(TOKENIZER, tokenizer), (EMBEDDING, embedding)];
    Ok(Arc::new(engine(lm, weights, files, parameters)?))
}

fn engine(
    lm: &Lm,
    weights: Digest,
    files: Vec<File>,
    parameters: &Parameters,
) -> Result<EncryptedEngine<LmNetwork<Plaintext>>, LoadError> {
    let config = &lm.config;
    let entries = files
        .iter()
        .filter(|(name, _)| [TOKENIZER, EMBEDDING].contains(name))
        .map(|(name, content)| FileEntry::of(name, content));
    let perplexity = config.perplexity.iter().map(|(text, measured)| {
        let measured = Perplexity {
            token: measured.token,
            word: measured.word,
            tokens: measured.tokens,
        };
        (text.clone(), measured)
    });
    let task = Task::Complete(Complete {
        window: narrow(config.architecture.window),
        vocabulary: narrow(config.architecture.vocabulary),
        pad: config.pad,
        files: entries.collect(),
        perplexity: perplexity.collect(),
    });
    let model = EncryptedModel::planned(parameters, LmNetwork::new(lm)?, || LmNetwork::new(lm))?;
    EncryptedEngine::new(&config.name, weights, task, files, model)
}
