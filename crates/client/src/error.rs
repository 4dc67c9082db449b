use model::ModelError;
use protocol::{
    container::ContainerError,
    layout::LayoutError,
    manifest::{ManifestError, TaskKind},
};
use thiserror::Error;

/// Why the client refuses to go on.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The manifest is no JSON of the expected form, or too long.
    #[error("the server's manifest cannot be read: {0}")]
    Unreadable(String),
    /// The manifest asks for something this client does not do.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The model does something else.
    #[error("{}", other_task(*.0))]
    OtherTask(TaskKind),
    /// A downloaded file is not the one that the manifest names.
    #[error("{0} is not the file that the manifest names: its size or content differs")]
    File(String),
    /// The embedding cannot be read, or not be applied to these tokens or this answer.
    #[error("the embedding cannot be used: {0}")]
    Embedding(ModelError),
    /// The weights of the convolutions cannot be read, or are of other convolutions than the manifest's.
    #[error("the convolutions cannot be used: {0}")]
    Stem(ModelError),
    /// An image was to be encrypted before the weights of its convolutions were there.
    #[error("the weights of the convolutions are not loaded")]
    NoStem,
    /// Two answers that have nothing to do with each other.
    #[error("an answer of {0} values cannot be compared with one of {1}")]
    Incomparable(usize, usize),
    /// A temperature that divides nothing.
    #[error("the temperature is {0}, not a number from 0 up")]
    Temperature(f64),
    /// The manifest has no key of this number.
    #[error("there is no key {0}")]
    NoSuchKey(usize),
    /// A key could not be made.
    #[error("the key cannot be made: {0}")]
    Key(ckks::WireError),
    /// The image could not be encrypted.
    #[error("the image cannot be encrypted: {0}")]
    Encrypt(String),
    /// Values and slots do not fit each other.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The answer is damaged or not an answer.
    #[error("the server's answer cannot be read: {0}")]
    Answer(#[from] ContainerError),
    /// The answer's ciphertext breaks the rules of its kind.
    #[error("the server's answer cannot be read: {0}")]
    Ciphertext(ckks::WireError),
}

fn other_task(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Classify => "this model classifies images, it does not complete text",
        TaskKind::Complete => "this model completes text, it does not classify images",
    }
}
