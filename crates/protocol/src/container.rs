//! The one envelope in which keys, queries and results travel.
//!
//! ```text
//! offset  bytes  field (little endian)
//!      0      4  magic "CPHF"
//!      4      2  version
//!      6      2  object type
//!      8     32  parameter digest
//!     40      8  payload length
//!     48      n  payload
//!   48+n     32  BLAKE3 of everything before it
//! ```

use thiserror::Error;

const MAGIC: [u8; 4] = *b"CPHF";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 48;
const CHECKSUM_BYTES: usize = 32;

/// Bytes that a container adds to its payload.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + CHECKSUM_BYTES;

/// What a container holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ObjectType {
    /// One seeded evaluation key.
    EvaluationKey = 1,
    /// A seeded ciphertext that carries an input.
    Query = 2,
    /// A ciphertext that carries an answer.
    Result = 3,
}

/// Why bytes are not the container that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ContainerError {
    /// More bytes than the reader allows.
    #[error("container of {length} bytes, at most {limit} are allowed here")]
    TooLarge {
        /// Bytes at hand.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Fewer bytes than the header announces, or than a header takes.
    #[error("container is cut off: {expected} bytes expected, {length} at hand")]
    Truncated {
        /// Bytes at hand.
        length: usize,
        /// Bytes needed.
        expected: u64,
    },
    /// Bytes after the checksum.
    #[error("container has {0} bytes too many at its end")]
    TrailingBytes(u64),
    /// The first four bytes are not ours.
    #[error("these bytes are not a container: wrong magic")]
    Magic,
    /// A format version this build cannot read.
    #[error("container version {0} is not supported, this build reads version {VERSION}")]
    Version(u16),
    /// A sound container with another object in it.
    #[error("container holds object type {found}, expected {expected:?}")]
    Type {
        /// Type in the header.
        found: u16,
        /// Type asked for.
        expected: ObjectType,
    },
    /// Damaged on the way.
    #[error("container checksum does not match its content")]
    Checksum,
    /// Made for other encryption parameters.
    #[error("container was made for other encryption parameters")]
    Parameters,
}

/// Wraps `payload`.
#[must_use]
pub fn write(object: ObjectType, parameters: &[u8; 32], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + OVERHEAD_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(object as u16).to_le_bytes());
    bytes.extend_from_slice(parameters);
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(payload);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

/// Checks an envelope of at most `limit` bytes and hands out its payload; nothing is allocated.
///
/// The checksum is verified before type and parameters are compared, so that damage is reported as damage
/// and [`ContainerError::Parameters`] really means a container made elsewhere.
///
/// # Errors
/// A [`ContainerError`] that names the first thing found wrong.
pub fn read<'a>(
    bytes: &'a [u8],
    limit: usize,
    expected: ObjectType,
    parameters: &[u8; 32],
) -> Result<&'a [u8], ContainerError> {
    let length = bytes.len();
    if length > limit {
        return Err(ContainerError::TooLarge { length, limit });
    }
    let short = ContainerError::Truncated {
        length,
        expected: OVERHEAD_BYTES as u64,
    };
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(short)?;
    if *magic != MAGIC {
        return Err(ContainerError::Magic);
    }
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
    let version = u16::from_le_bytes(*version);
    if version != VERSION {
        return Err(ContainerError::Version(version));
    }
    let (found, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
    let found = u16::from_le_bytes(*found);
    let (digest, rest) = rest.split_first_chunk::<32>().ok_or(short)?;
    let (announced, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
    let announced = u64::from_le_bytes(*announced);
    let (payload, checksum) = rest.split_last_chunk::<CHECKSUM_BYTES>().ok_or(short)?;
    let present = payload.len() as u64;
    if present < announced {
        let expected = announced.saturating_add(OVERHEAD_BYTES as u64);
        return Err(ContainerError::Truncated { length, expected });
    }
    if present > announced {
        return Err(ContainerError::TrailingBytes(present - announced));
    }
    let (covered, _) = bytes.split_at(length - CHECKSUM_BYTES);
    if blake3::hash(covered) != *checksum {
        return Err(ContainerError::Checksum);
    }
    if found != expected as u16 {
        return Err(ContainerError::Type { found, expected });
    }
    if digest != parameters {
        return Err(ContainerError::Parameters);
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: [u8; 32] = [7; 32];
    const LIMIT: usize = 1 << 12;

    fn small() -> Vec<u8> {
        write(ObjectType::Query, &DIGEST, b"payload")
    }

    fn open(bytes: &[u8]) -> Result<&[u8], ContainerError> {
        read(bytes, LIMIT, ObjectType::Query, &DIGEST)
    }

    #[test]
    fn round_trip() {
        for payload in [&b""[..], b"x", &[0x5a; 1000]] {
            let bytes = write(ObjectType::Query, &DIGEST, payload);
            assert_eq!(bytes.len(), payload.len() + OVERHEAD_BYTES);
            assert_eq!(open(&bytes), Ok(payload));
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sound = small();
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open(&bytes).is_err(),
                "bit {bit} flipped and nobody noticed"
            );
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let sound = small();
        for length in 0..sound.len() {
            assert!(
                matches!(
                    open(&sound[..length]),
                    Err(ContainerError::Truncated { .. })
                ),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = small();
        bytes.push(0);
        assert_eq!(open(&bytes), Err(ContainerError::TrailingBytes(1)));
    }

    #[test]
    fn wrong_type_is_named() {
        let bytes = write(ObjectType::EvaluationKey, &DIGEST, b"payload");
        let expected = ObjectType::Query;
        assert_eq!(
            open(&bytes),
            Err(ContainerError::Type { found: 1, expected })
        );
    }

    #[test]
    fn other_parameters_are_named() {
        let bytes = write(ObjectType::Query, &[8; 32], b"payload");
        assert_eq!(open(&bytes), Err(ContainerError::Parameters));
    }

    #[test]
    fn limit_is_inclusive() {
        let bytes = small();
        let at = |limit| read(&bytes, limit, ObjectType::Query, &DIGEST);
        assert!(at(bytes.len()).is_ok());
        let (length, limit) = (bytes.len(), bytes.len() - 1);
        assert_eq!(at(limit), Err(ContainerError::TooLarge { length, limit }));
    }

    #[test]
    fn announced_length_is_never_believed() {
        let mut bytes = small();
        bytes[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(
            open(&bytes),
            Err(ContainerError::Truncated { .. })
        ));
    }
}
