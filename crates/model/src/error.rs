use thiserror::Error;

/// Why a model could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file of the model folder could not be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Path as it was opened.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is longer than its contents can need.
    #[error("{file} is longer than {limit} bytes")]
    TooLong {
        /// Path as it was opened.
        file: String,
        /// Largest length accepted.
        limit: u64,
    },
    /// The JSON does not parse or lacks a field.
    #[error("{file} is not valid: {source}")]
    Json {
        /// `config.json` or `labels.json`.
        file: &'static str,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A number in `config.json` is impossible or contradicts another.
    #[error("config.json: {0}")]
    Config(String),
    /// The labels do not match the model.
    #[error("labels.json: {0}")]
    Labels(String),
    /// The weights are not a well-formed safetensors file.
    #[error("the weights are no safetensors file: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A tensor the architecture needs is absent.
    #[error("the weights have no tensor {0}")]
    MissingTensor(String),
    /// A tensor the architecture does not know is present.
    #[error("the weights have an unknown tensor {0}")]
    UnknownTensor(String),
    /// A tensor is not stored as floats of 16 or 32 bits.
    #[error("tensor {name} is {found}, not F32 or F16")]
    Type {
        /// Tensor name.
        name: String,
        /// Stored type.
        found: String,
    },
    /// A tensor's shape contradicts `config.json`.
    #[error("tensor {name} has shape {found:?}, config.json asks for {expected:?}")]
    Shape {
        /// Tensor name.
        name: String,
        /// Stored shape.
        found: Vec<usize>,
        /// Shape the configuration implies.
        expected: Vec<usize>,
    },
    /// A weight is NaN or infinite.
    #[error("tensor {name} has a value that is not finite, at element {index}")]
    NotFinite {
        /// Tensor name.
        name: String,
        /// Position in row-major order.
        index: usize,
    },
    /// Another number of tokens than a window holds.
    #[error("{found} tokens where the window holds {expected}")]
    Window {
        /// Tokens of a window.
        expected: usize,
        /// Tokens given.
        found: usize,
    },
    /// A token that is not in the vocabulary.
    #[error("token {0} is not in the vocabulary")]
    Token(u32),
    /// Another number of values than the network is wide.
    #[error("{found} values where the network is {expected} wide")]
    Width {
        /// Channels of the network.
        expected: usize,
        /// Values given.
        found: usize,
    },
}
