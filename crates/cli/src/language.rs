//! The client's half of a language model: its files, from a server or from a folder.

use std::{fs, path::Path};

use client::{Session, model::Embedding};
use protocol::manifest::{EMBEDDING, TOKENIZER, Task};
use tokenizer::Tokenizer;

use crate::{CliError, http::Api};

/// Text to tokens, tokens to vectors.
pub struct Language {
    /// Text to tokens and back.
    pub tokenizer: Tokenizer,
    /// Tokens to vectors, and vectors to scores of tokens.
    pub embedding: Embedding,
}

impl Language {
    /// Downloads the files of a session's model.
    pub fn download(api: &Api, session: &Session) -> Result<Self, CliError> {
        let manifest = session.manifest();
        Self::read(session, |name| match manifest.task.file(name) {
            Some(file) => api.file(&manifest.model, file),
            None => Ok(Vec::new()),
        })
    }

    /// Reads the files from a model's folder and checks that they are those of the session's model.
    pub fn open(folder: &Path, session: &Session) -> Result<Self, CliError> {
        Self::read(session, |name| {
            let path = folder.join(name);
            fs::read(&path).map_err(CliError::read(&path))
        })
    }

    fn read(
        session: &Session,
        file: impl Fn(&str) -> Result<Vec<u8>, CliError>,
    ) -> Result<Self, CliError> {
        // First, because it refuses models without language.
        let embedding = session.embedding(&file(EMBEDDING)?)?;
        let json = file(TOKENIZER)?;
        session.check_file(TOKENIZER, &json)?;
        let vocabulary = match &session.manifest().task {
            Task::Complete(complete) => complete.vocabulary as usize,
            Task::Classify(_) => 0,
        };
        Ok(Self {
            tokenizer: Tokenizer::new(&json, vocabulary)?,
            embedding,
        })
    }
}
