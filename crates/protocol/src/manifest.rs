//! What a client needs to know about a model: `GET /v1/models/{id}`.

use ckks::{CiphertextSpec, KeySpec};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    hex::{Capability, Digest, Hex},
    layout::{Layout, LayoutError},
    measured::Encrypted,
};

pub use crate::task::{
    Accuracy, Classify, Complete, Convolution, EMBEDDING, FileEntry, Perplexity, Preprocessing,
    STEM, TOKENIZER, Task, TaskKind,
};

/// Version of routes and manifest.
pub const PROTOCOL: u16 = 2;

/// A model as the server offers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Manifest {
    /// Version of routes and manifest.
    pub protocol: u16,
    /// Model id, the last part of its address.
    pub model: String,
    /// BLAKE3 of the model's `config.json` followed by its `model.safetensors`, so that a client can tell
    /// whether the clear model it holds is the same.
    pub weights: Digest,
    /// Encryption parameters.
    pub parameters: ParameterSet,
    /// [`configuration_digest`] of parameters and keys; key sets are bound to it.
    pub configuration: Digest,
    /// Evaluation keys to make and upload.
    pub keys: Vec<KeyEntry>,
    /// Sum of the keys' sizes.
    pub evaluation_key_bytes: u64,
    /// The encrypted input.
    pub query: Object,
    /// The encrypted answer.
    pub result: Object,
    /// What the values of input and answer mean.
    pub task: Task,
    /// What was measured through encryption; nothing where nobody measured these weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<Encrypted>,
    /// Seconds that an inference is expected to take on this server.
    pub expected_seconds: f64,
}

/// Encryption parameters, named and described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParameterSet {
    /// Name of the set; clients use their own constants of this name.
    pub name: String,
    /// Digest of the constants.
    pub digest: Digest,
    /// log2 of the ring degree.
    pub log_n: u32,
    /// log2 of the largest modulus, special primes included.
    pub log_qp: f64,
    /// How hard it is to break.
    pub security: Security,
}

/// A security level and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Security {
    /// Bits of security; 0 for test parameters.
    pub bits: u32,
    /// Publication that the bound comes from.
    pub source: String,
}

/// An evaluation key to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyEntry {
    /// Name in upload addresses.
    pub name: String,
    /// What the key does and up to which level.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub spec: KeySpec,
    /// Size of its container.
    pub bytes: u64,
}

/// A ciphertext on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Object {
    /// Level, scale and packing.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub spec: CiphertextSpec,
    /// Slots of the values.
    pub layout: Layout,
    /// Size of its container.
    pub bytes: u64,
}

/// Body of `POST /v1/key-sets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKeySet {
    /// Model id.
    pub model: String,
    /// Key configuration that the keys will be made for.
    pub configuration: Digest,
}

/// Answer of `POST /v1/key-sets` and `GET /v1/key-sets/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeySetStatus {
    /// The set's capability.
    pub id: Capability,
    /// Model that the keys are for.
    pub model: String,
    /// Key configuration that the keys are for.
    pub configuration: Digest,
    /// Names of the keys that are not there yet.
    pub missing: Vec<String>,
}

/// Answer of `POST /v1/inferences`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInference {
    /// The inference's capability.
    pub id: Capability,
}

/// Answer of `GET /v1/models`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelList {
    /// All models of the server.
    pub models: Vec<ModelSummary>,
}

/// A model in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelSummary {
    /// Model id.
    pub id: String,
    /// What it does.
    pub task: TaskKind,
    /// Name of its encryption parameters.
    pub parameters: String,
    /// Bytes of evaluation keys to upload.
    pub evaluation_key_bytes: u64,
    /// Seconds that an inference takes.
    pub expected_seconds: f64,
    /// How often it is right, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Accuracy>,
}

/// Why a client must not work with a manifest.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ManifestError {
    /// Another generation of the protocol.
    #[error("the server speaks protocol {0}, this client protocol {PROTOCOL}")]
    Protocol(u16),
    /// A parameter set that is not one of ours.
    #[error("the server asks for parameters {0:.80?}, which this client does not know")]
    UnknownParameters(String),
    /// A set of a known name with other constants.
    #[error("the server's parameters {0} differ from this client's of the same name")]
    OtherParameters(String),
    /// Parameters for tests.
    #[error("the server asks for parameters {name}, which give {bits} bits of security")]
    Insecure {
        /// Name of the set.
        name: String,
        /// Its security.
        bits: u32,
    },
    /// A key, ciphertext or size that does not fit the parameters.
    #[error("the server asks for something its parameters do not have: {0}")]
    Impossible(&'static str),
    /// A slot layout that cannot be used.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Digest of everything that evaluation keys depend on besides the secret.
///
/// BLAKE3 over the parameter digest, then for each key its name and its level as `name`, `0x00`, level as u64, little endian.
#[must_use]
pub fn configuration_digest<'a>(
    parameters: &[u8; 32],
    keys: impl IntoIterator<Item = &'a KeySpec>,
) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"cipherformer key configuration 1");
    hasher.update(parameters);
    for key in keys {
        hasher.update(key.name().as_bytes());
        hasher.update(&[0]);
        hasher.update(&(key.level as u64).to_le_bytes());
    }
    Hex(*hasher.finalize().as_bytes())
}
