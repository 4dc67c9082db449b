//! SHA-256, the digest that browsers check and `sha256sum` prints.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a file.
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// As `integrity` attributes and `fetch` take it.
    pub fn integrity(&self) -> String {
        format!("sha256-{}", BASE64_STANDARD.encode(self.0))
    }

    /// As `sha256sum` writes it.
    pub fn hexadecimal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    // FIPS 180-2, appendix B.1.
    #[test]
    fn the_digest_of_abc() {
        let digest = Digest::of(b"abc");
        assert_eq!(
            digest.hexadecimal(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            digest.integrity(),
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }
}
