//! What a model does and what a client needs for its own half of it: the part of the manifest that differs between tasks.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::{
    hex::{Digest, Hex},
    layout::Layout,
    limits,
    manifest::ManifestError,
};

/// What a model does, and what a client needs for its own half of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Task {
    /// An image goes in, one value per class comes out.
    Classify(Classify),
    /// Embedded tokens go in, the hidden vector behind the last one comes out.
    Complete(Complete),
}

/// Tag of a [`Task`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// [`Task::Classify`]
    Classify,
    /// [`Task::Complete`]
    Complete,
}

/// A client's half of image classification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Classify {
    /// From an image to the values of the input.
    pub preprocessing: Preprocessing,
    /// What the client downloads: [`STEM`], where the preprocessing has convolutions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileEntry>,
    /// Names of the classes, in the order of the answer's values.
    pub labels: Vec<String>,
    /// Accuracy of the clear model, measured when it was made.
    pub accuracy: Accuracy,
}

/// A client's half of text completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Complete {
    /// Tokens that the model sees at once; shorter prompts are padded on the left.
    pub window: u32,
    /// Number of tokens; ids are below it.
    pub vocabulary: u32,
    /// Token that pads, which also means the start of a text.
    pub pad: u32,
    /// What the client downloads: [`TOKENIZER`] and [`EMBEDDING`].
    pub files: Vec<FileEntry>,
    /// Perplexity of the clear model on named texts, measured when it was made.
    pub perplexity: BTreeMap<String, Perplexity>,
}

/// Name of the tokenizer's file, in the form of Hugging Face's `tokenizers`.
pub const TOKENIZER: &str = "tokenizer.json";

/// Name of the file with the client's tensors: embedding of tokens and positions, bias of the logits.
pub const EMBEDDING: &str = "embedding.safetensors";

/// Name of the file with the weights of an image's convolutions.
pub const STEM: &str = "stem.safetensors";

/// A file of `GET /v1/models/{id}/files/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileEntry {
    /// Last part of its address.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its content.
    pub digest: Digest,
}

/// Perplexity on one text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Perplexity {
    /// Per token.
    pub token: f64,
    /// Per word of the text, as separated by white space.
    pub word: f64,
    /// Tokens measured.
    pub tokens: u64,
}

/// From a 32×32 RGB image to normalised, zero-padded, overlapping patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
// A step that this client does not know must not be left out in silence: the answer would be wrong.
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Side of the image in pixels.
    pub size: u32,
    /// Mean of each channel, on the scale 0 to 1.
    #[serde(deserialize_with = "finite")]
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    #[serde(deserialize_with = "finite")]
    pub std: [f32; 3],
    /// Zeros added on each side.
    pub pad: u32,
    /// Side of a patch.
    pub patch: u32,
    /// Pixels from one patch to the next.
    pub stride: u32,
    /// Convolutions of the normalised image, each with a ReLU, whose result joins the patches by a last linear map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub convolutions: Vec<Convolution>,
}

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Channels that it makes.
    pub channels: u32,
    /// Side of its kernel.
    pub size: u32,
    /// Points of its input from one of its output to the next.
    pub stride: u32,
    /// Zeros added to its input on each side.
    pub pad: u32,
}

/// Shares of right answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accuracy {
    /// The best class is right.
    pub top1: f64,
    /// The right class is among the best five.
    pub top5: f64,
    /// Images measured.
    pub images: u64,
}

impl Task {
    /// How often it is right, where that can be said.
    #[must_use]
    pub const fn accuracy(&self) -> Option<&Accuracy> {
        match self {
            Self::Classify(classify) => Some(&classify.accuracy),
            Self::Complete(_) => None,
        }
    }

    /// Its tag.
    #[must_use]
    pub const fn kind(&self) -> TaskKind {
        match self {
            Self::Classify(_) => TaskKind::Classify,
            Self::Complete(_) => TaskKind::Complete,
        }
    }

    /// Files that a client downloads.
    #[must_use]
    pub fn files(&self) -> &[FileEntry] {
        match self {
            Self::Classify(classify) => &classify.files,
            Self::Complete(complete) => &complete.files,
        }
    }

    /// The file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files().iter().find(|file| file.name == name)
    }
}

impl FileEntry {
    /// Describes a file by its content.
    #[must_use]
    pub fn of(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            bytes: content.len() as u64,
            digest: Hex(*blake3::hash(content).as_bytes()),
        }
    }

    /// Whether these bytes are the file.
    #[must_use]
    pub fn is(&self, content: &[u8]) -> bool {
        content.len() as u64 == self.bytes && Hex(*blake3::hash(content).as_bytes()) == self.digest
    }
}

impl Task {
    /// Compares the task with the values that cross the wire.
    pub(crate) fn check(&self, query: &Layout, result: &Layout) -> Result<(), ManifestError> {
        match self {
            Self::Classify(classify) => classify.check(query, result),
            Self::Complete(complete) => complete.check(query, result),
        }
    }
}

impl Classify {
    fn check(&self, query: &Layout, result: &Layout) -> Result<(), ManifestError> {
        if result.len() != self.labels.len() as u64 {
            return impossible("its result has more or fewer values than there are labels");
        }
        let names = check_files(&self.files)?;
        if names.contains(STEM) == self.preprocessing.convolutions.is_empty() {
            return impossible("it lists convolutions or their weights, but not both");
        }
        self.check_preprocessing(query.len())
    }

    fn check_preprocessing(&self, values: u64) -> Result<(), ManifestError> {
        let steps = &self.preprocessing;
        if steps.size != 32 || steps.pad > steps.size || steps.patch == 0 || steps.stride == 0 {
            return impossible("its preprocessing is not one of a 32×32 image");
        }
        let padded = steps.size + 2 * steps.pad;
        let Some(rest) = padded.checked_sub(steps.patch) else {
            return impossible("its patches are larger than the padded image");
        };
        let side = u64::from(rest / steps.stride + 1);
        let patch = u64::from(steps.patch);
        if side * side * 3 * patch * patch != values {
            return impossible("its patches have more or fewer values than its query");
        }
        let usable = steps.mean.iter().all(|mean| mean.is_finite())
            && steps
                .std
                .iter()
                .all(|&deviation| deviation.is_finite() && deviation > 1e-6);
        if !usable {
            return impossible("its means or standard deviations are not usable numbers");
        }
        Ok(())
    }
}

impl Complete {
    fn check(&self, query: &Layout, result: &Layout) -> Result<(), ManifestError> {
        if !(1..=limits::VOCABULARY).contains(&self.vocabulary) || self.pad >= self.vocabulary {
            return impossible(
                "its vocabulary is empty or too large, or does not have its padding",
            );
        }
        // The slots of the query bound its tokens.
        if query.tokens != self.window {
            return impossible("its query has more or fewer tokens than its window");
        }
        if result.len() != u64::from(query.values) {
            return impossible("its result has another width than the tokens of its query");
        }
        let names = check_files(&self.files)?;
        if ![TOKENIZER, EMBEDDING]
            .iter()
            .all(|needed| names.contains(needed))
        {
            return impossible("it lists no tokenizer or no embedding");
        }
        Ok(())
    }
}

/// The names of the files, each of which stands there once.
fn check_files(files: &[FileEntry]) -> Result<HashSet<&str>, ManifestError> {
    if files.len() > limits::FILES {
        return impossible("it lists too many files");
    }
    let mut names = HashSet::new();
    for file in files {
        if !is_file_name(&file.name) || !names.insert(file.name.as_str()) {
            return impossible("it lists a file twice or under a name that is none");
        }
        if !(1..=limits::FILE_BYTES as u64).contains(&file.bytes) {
            return impossible("it lists a file that is empty or too large");
        }
    }
    Ok(names)
}

/// A number beyond the range of 32 bits would be read as infinite, which JSON cannot say again.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[f32; 3], D::Error> {
    let numbers = <[f32; 3]>::deserialize(deserializer)?;
    if numbers.iter().all(|number| number.is_finite()) {
        return Ok(numbers);
    }
    Err(D::Error::custom("a number is out of range"))
}

fn is_file_name(name: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (1..=64).contains(&name.len())
        && name.starts_with(letter)
        && name.chars().all(|c| letter(c) || "-_.".contains(c))
}

fn impossible<T>(reason: &'static str) -> Result<T, ManifestError> {
    Err(ManifestError::Impossible(reason))
}
