//! What the configurations of all models share.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ModelError;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// An image in, class scores out.
    Classify,
    /// A window of tokens in, the next token's scores out.
    Complete,
}

impl Task {
    /// The task that a `config.json` names.
    pub fn of(config_json: &[u8]) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Named {
            task: Task,
        }
        Ok(from_json::<Named>(config_json)?.task)
    }
}

/// Largest magnitudes inside one block.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BlockRanges {
    /// Queries, with the score scaling folded in.
    pub query: f64,
    /// Keys.
    pub key: f64,
    /// Values.
    pub value: f64,
    /// What is squared: q·k + r, times the gain where there is one.
    pub scores: f64,
    /// Attention weights: the square plus δ.
    pub attention: f64,
    /// Attention weights times values, before the output projection.
    pub mixed: f64,
    /// Inputs of the MLP's square.
    pub up: f64,
    /// Residual stream after the block.
    pub stream: f64,
}

/// Reads `config.json`.
pub(crate) fn from_json<C: DeserializeOwned>(bytes: &[u8]) -> Result<C, ModelError> {
    serde_json::from_slice(bytes).map_err(|source| ModelError::Json {
        file: "config.json",
        source,
    })
}

/// Whether a model's name can be a part of an address.
pub(crate) fn check_name(name: &str) -> Result<(), ModelError> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(letter) {
        return Err(ModelError::Config(
            "name must be 1 to 64 lower-case letters, digits or hyphens".into(),
        ));
    }
    Ok(())
}

/// Whether the configuration is for the task that it is read for.
pub(crate) fn check_task(found: Task, expected: Task) -> Result<(), ModelError> {
    if found == expected {
        return Ok(());
    }
    Err(ModelError::Config(format!(
        "the task is {found:?}, not {expected:?}"
    )))
}

/// Whether sizes are possible: upper limits keep every product of two sizes far from overflow and bound what a file can make us
/// allocate.
pub(crate) fn check_sizes(sizes: &[(&str, usize, usize)]) -> Result<(), ModelError> {
    match sizes
        .iter()
        .find(|&&(_, value, limit)| value == 0 || value > limit)
    {
        None => Ok(()),
        Some((name, value, limit)) => Err(ModelError::Config(format!(
            "{name} is {value}, not in 1..={limit}"
        ))),
    }
}

/// Whether heads share the width evenly.
pub(crate) fn check_heads(width: usize, heads: usize) -> Result<(), ModelError> {
    if width.is_multiple_of(heads) {
        return Ok(());
    }
    Err(ModelError::Config(format!(
        "width {width} is not a multiple of heads {heads}"
    )))
}

/// Whether there are ranges for every block.
pub(crate) fn check_ranges(ranges: &[BlockRanges], blocks: usize) -> Result<(), ModelError> {
    if ranges.len() == blocks {
        return Ok(());
    }
    Err(ModelError::Config(format!(
        "ranges for {} blocks, not {blocks}",
        ranges.len()
    )))
}
