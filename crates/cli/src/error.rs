use std::io;

use client::{
    ClientError,
    model::{ModelError, image::ImageError},
};
use protocol::{
    events::EventError,
    problem::{Problem, ProblemKind},
};
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
    /// A file or folder cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// There is no folder to keep keys in.
    #[error("there is nowhere to keep keys: neither XDG_DATA_HOME nor a home folder is set")]
    NoHome,
    /// A kept seed that others can read, or that is no seed.
    #[error(
        "{0} is no seed that only you can read: make it mode 0600 if nobody else has read it, otherwise forget these keys"
    )]
    Seed(String),
    /// The description of a kept key set cannot be read.
    #[error("{path} is damaged: {reason} (delete its folder to forget these keys)")]
    Kept {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No keys are kept for what was asked.
    #[error("no keys are kept for {0} (make them with: cipherformer keys make)")]
    NoKeys(String),
    /// Another command deleted the keys meanwhile.
    #[error("the kept keys were deleted or replaced meanwhile")]
    Forgotten,
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
    /// An address that is none.
    #[error("the address cannot be used: {0}")]
    Address(String),
    /// The connection ended in the middle of an answer.
    #[error("the connection to the server broke off: {0}")]
    BrokenOff(io::Error),
    /// The server refused something.
    #[error("the server refused: {0}")]
    Refused(Box<Problem>),
    /// A refusal without an explanation; proxies give such.
    #[error("the server answered with status {0}")]
    Status(u16),
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

/// What shells report for a program that the keyboard stopped.
const STOPPED: u8 = 130;

impl CliError {
    /// The exit code; `--help` explains them.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped => STOPPED,
            Self::Unreachable { .. } | Self::BrokenOff(_) => 3,
            Self::Status(429 | 503) => 5,
            Self::Refused(problem) if matches!(problem.status, 429 | 503) => 5,
            Self::Refused(_) | Self::Status(_) | Self::NoSuchTask(_) => 4,
            Self::Protocol(_) | Self::OtherModel(_) => 6,
            Self::Client(error) => match error {
                ClientError::Temperature(_)
                | ClientError::Encrypt(_)
                | ClientError::OtherTask(_)
                | ClientError::NoSuchKey(_)
                | ClientError::Key(_) => 1,
                _ => 6,
            },
            _ => 1,
        }
    }

    /// Whether the server refused for this reason.
    pub(crate) fn is(&self, kind: ProblemKind) -> bool {
        matches!(self, Self::Refused(problem) if problem.kind() == Some(kind))
    }

    /// Whether the network, not the server, is the reason.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::BrokenOff(_) | Self::Unreachable { .. } | Self::Status(502 | 504)
        )
    }

    /// Names the file or folder that could not be written.
    pub(crate) fn write(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Write { path, source }
    }

    /// Names the file or folder that could not be read.
    pub(crate) fn read(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Read { path, source }
    }
}
