//! Files of a model's folder, read with a limit.

use std::{fs::File, io::Read, path::Path};

use crate::ModelError;

/// Longest JSON file accepted.
const JSON_LIMIT: u64 = 1 << 20;
/// Room for the safetensors header beside the values.
const HEADER_ROOM: u64 = 1 << 20;

/// Reads a JSON file of a model's folder.
pub(crate) fn read_json(folder: &Path, name: &str) -> Result<Vec<u8>, ModelError> {
    read(&folder.join(name), JSON_LIMIT)
}

/// Reads a safetensors file that holds so many values.
pub(crate) fn read_values(folder: &Path, name: &str, values: u64) -> Result<Vec<u8>, ModelError> {
    read(&folder.join(name), 4 * values + HEADER_ROOM)
}

/// Reads a file of at most `limit` bytes.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    let named = |source| ModelError::Read {
        file: path.display().to_string(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(named)?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(named)?;
    if bytes.len() as u64 > limit {
        return Err(ModelError::TooLong {
            file: path.display().to_string(),
            limit,
        });
    }
    Ok(bytes)
}
