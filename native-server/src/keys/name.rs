//! What a key set is called inside the server and on disk.

use std::{fmt, str::FromStr};

use protocol::hex::{Capability, Digest, Hex, HexError};

const CONTEXT: &str = "cipherformer 2026-11 name of a stored key set";

/// A digest of a set's capability: whoever reads a folder, a backup or a log learns names, and names open nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetName(Digest);

impl From<Capability> for SetName {
    fn from(id: Capability) -> Self {
        Self(Hex(blake3::derive_key(CONTEXT, &id.0)))
    }
}

impl FromStr for SetName {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_nothing_of_its_capability() {
        let (one, two) = (Hex([1; 16]), Hex([2; 16]));
        let name = SetName::from(one).to_string();
        assert_ne!(name, SetName::from(two).to_string());
        assert!(!name.contains(&one.to_string()));
        assert_eq!(name.parse(), Ok(SetName::from(one)));
    }
}
