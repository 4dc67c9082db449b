use std::io;

use client::{
    ClientError,
    model::{ModelError, image::ImageError},
};
use protocol::{events::EventError, problem::Problem};
use thiserror::Error;
use tokenizer::TokenizerError;

/// Why a command failed, in one line for a person.
#[derive(Debug, Error)]
pub enum CliError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file is no usable image.
    #[error("{path}: {source}")]
    Image {
        /// The file.
        path: String,
        /// What the decoder says.
        source: ImageError,
    },
    /// A folder of images has a folder that is no class.
    #[error("{folder} has a folder {name:?}, which is no class of the model")]
    UnknownClass {
        /// The folder of images.
        folder: String,
        /// The folder in it.
        name: String,
    },
    /// A folder of images has none.
    #[error(
        "there is no image in {0}: expected one folder of PNG files per class, named as in labels.json"
    )]
    NoImage(String),
    /// There is no such model.
    #[error(
        "there is no model {0:?}: expected a name under models/ or a folder with a config.json"
    )]
    NoModel(String),
    /// A language model and a folder of images.
    #[error("the model {0:?} completes text: measure it with --text")]
    NotForImages(String),
    /// An image model and a text.
    #[error("the model {0:?} classifies images: measure it with --images")]
    NotForText(String),
    /// The server has no model for the command.
    #[error("there is no model on the server that {0}")]
    NoSuchTask(&'static str),
    /// A prompt that is no text.
    #[error("the prompt is no UTF-8 text")]
    PromptEncoding,
    /// A file that is no text.
    #[error("{path} is no UTF-8 text: byte {offset} begins no character")]
    TextEncoding {
        /// The file.
        path: String,
        /// Where the text ends.
        offset: usize,
    },
    /// A file with nothing to measure.
    #[error("there is no text in {0}")]
    NoText(String),
    /// The tokenizer cannot be used, or not on this text.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Stopped from the keyboard.
    #[error("stopped")]
    Stopped,
    /// A model's files are not a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The server does not answer.
    #[error(
        "no answer from {server}: {source} (start a server with ./dev serve, or name one with --server)"
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// What the connection says.
        source: Box<ureq::Error>,
    },
    /// The connection ended in the middle of an answer.
    #[error("the connection to the server broke off: {0}")]
    BrokenOff(io::Error),
    /// The server refused something.
    #[error("the server refused: {0}")]
    Refused(Box<Problem>),
    /// The server answered with something that is not its protocol.
    #[error("the server's answer makes no sense: {0}")]
    Protocol(String),
    /// The server has no such model, or another of this name.
    #[error("the server's model {0:?} is not the one in the folder: its weights differ")]
    OtherModel(String),
    /// The client refuses to go on.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system has no randomness.
    #[error("the system gives no randomness")]
    Randomness,
    /// The result cannot be printed.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

impl From<EventError> for CliError {
    fn from(error: EventError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl CliError {
    /// Names the file or folder that could not be read.
    pub(crate) fn read(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Read { path, source }
    }
}
