//! Completion: a prompt goes out in a fresh encryption of one padded window, the vector behind its last token comes back.

use model::Embedding;
use protocol::manifest::{Complete, EMBEDDING, Task, TaskKind};

use crate::{ClientError, Prompt, Session};

impl Session {
    /// Reads the client's tensors from [`EMBEDDING`]'s content, after [`Session::check_file`].
    ///
    /// # Errors
    /// [`ClientError::File`], [`ClientError::Embedding`], [`ClientError::OtherTask`].
    pub fn embedding(&self, content: &[u8]) -> Result<Embedding, ClientError> {
        let task = self.text()?;
        self.check_file(EMBEDDING, content)?;
        let width = self.manifest().query.layout.values;
        let [window, width, vocabulary] =
            [task.window, width, task.vocabulary].map(|size| size as usize);
        Embedding::from_bytes(content, window, width, vocabulary).map_err(ClientError::Embedding)
    }

    /// The window of the model that ends with these tokens.
    ///
    /// # Errors
    /// [`ClientError::OtherTask`] when the model does not complete.
    pub fn prompt(&self, ids: &[u32]) -> Result<Prompt, ClientError> {
        let task = self.text()?;
        Ok(Prompt::new(ids, task.window as usize, task.pad))
    }

    /// Encrypts a prompt with fresh randomness; returns the query container, whose size is always the same.
    ///
    /// # Errors
    /// [`ClientError::Embedding`] for tokens outside of the vocabulary or another number of tokens than the window holds;
    /// otherwise as [`Session::encrypt_image`].
    pub fn encrypt_prompt(
        &self,
        embedding: &Embedding,
        prompt: &Prompt,
    ) -> Result<Vec<u8>, ClientError> {
        self.text()?;
        let rows = embedding
            .rows(&prompt.ids)
            .map_err(ClientError::Embedding)?;
        self.encrypt(&rows.iter().copied().collect::<Vec<_>>())
    }

    /// Decrypts a result container into the scores of all tokens.
    ///
    /// # Errors
    /// As [`Session::decrypt`].
    pub fn decrypt_logits(
        &self,
        embedding: &Embedding,
        answer: &[u8],
    ) -> Result<Vec<f32>, ClientError> {
        self.text()?;
        embedding
            .logits(&self.decrypt(answer)?)
            .map_err(ClientError::Embedding)
    }

    fn text(&self) -> Result<&Complete, ClientError> {
        match &self.manifest().task {
            Task::Complete(complete) => Ok(complete),
            Task::Classify(_) => Err(ClientError::OtherTask(TaskKind::Classify)),
        }
    }
}
