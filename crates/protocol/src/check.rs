//! A client's examination of a manifest: the server may choose among what this client knows, and nothing else.

use std::collections::HashSet;

use ckks::{Ciphertext, Parameters, SeededCiphertext, Subring, WireError};

use crate::{
    container,
    hex::Hex,
    layout::Placement,
    limits,
    manifest::{Manifest, ManifestError, PROTOCOL, configuration_digest},
};

/// Least security a client accepts, in bits.
pub const SECURITY_BITS: u32 = 128;

/// Whether test parameters are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Only parameters of at least [`SECURITY_BITS`].
    Secure,
    /// Also the `insecure-…` sets. For tests.
    InsecureForTests,
}

/// What a manifest that passed the examination asks for, in this client's own terms.
#[derive(Clone, Debug)]
pub struct Checked {
    /// This client's constants.
    pub parameters: Parameters,
    /// Places of the input's values.
    pub query: Placement,
    /// Places of the answer's values.
    pub result: Placement,
}

impl Manifest {
    /// Compares every number with what this client computes itself.
    ///
    /// # Errors
    /// A [`ManifestError`] naming the first contradiction.
    pub fn check(&self, trust: Trust) -> Result<Checked, ManifestError> {
        if self.protocol != PROTOCOL {
            return Err(ManifestError::Protocol(self.protocol));
        }
        let parameters = self.own_parameters(trust)?;
        self.check_keys(&parameters)?;
        let impossible = |reason| Err(ManifestError::Impossible(reason));
        if self.configuration
            != configuration_digest(&parameters.digest(), self.keys.iter().map(|key| &key.spec))
        {
            return impossible("its configuration digest is not that of its keys");
        }
        let query_bytes = size(SeededCiphertext::wire_bytes(&parameters, &self.query.spec))?;
        if self.query.bytes != query_bytes {
            return impossible("its query has another size than such a query has");
        }
        let result_bytes = size(Ciphertext::wire_bytes(&parameters, &self.result.spec))?;
        if self.result.bytes != result_bytes || self.result.spec.subring != Subring::Full {
            return impossible("its result has another size than such a result has");
        }
        let query = self
            .query
            .layout
            .place(self.query.spec.slots(&parameters))?;
        if self.query.spec.subring == Subring::Real && self.query.layout.is_complex() {
            return impossible("its query puts values into imaginary parts, and has none");
        }
        let result = self.result.layout.place(parameters.slots())?;
        self.task.check(&self.query.layout, &self.result.layout)?;
        Ok(Checked {
            parameters,
            query,
            result,
        })
    }

    fn own_parameters(&self, trust: Trust) -> Result<Parameters, ManifestError> {
        let name = self.parameters.name.clone();
        let Ok(parameters) = Parameters::by_name(&name) else {
            return Err(ManifestError::UnknownParameters(name));
        };
        if self.parameters.digest != Hex(parameters.digest()) {
            return Err(ManifestError::OtherParameters(name));
        }
        let bits = parameters.security_bits();
        if bits < SECURITY_BITS && trust == Trust::Secure {
            return Err(ManifestError::Insecure { name, bits });
        }
        Ok(parameters)
    }

    fn check_keys(&self, parameters: &Parameters) -> Result<(), ManifestError> {
        let impossible = |reason| Err(ManifestError::Impossible(reason));
        if self.keys.len() > limits::KEYS {
            return impossible("it lists too many keys");
        }
        let mut names = HashSet::new();
        let mut total = 0u64;
        for key in &self.keys {
            if key.spec.check(parameters).is_err() {
                return impossible("it lists a key for a level or rotation that does not exist");
            }
            if key.name != key.spec.name() || !names.insert(&key.name) {
                return impossible("it lists a key twice or under another name");
            }
            if key.bytes != container_bytes(key.spec.wire_bytes(parameters)) {
                return impossible("it lists a key with another size than such a key has");
            }
            total += key.bytes;
        }
        if total != self.evaluation_key_bytes || total > limits::KEY_SET_BYTES as u64 {
            return impossible("the sizes of its keys do not add up, or to too much");
        }
        Ok(())
    }
}

/// Size of the container around a payload.
#[must_use]
pub const fn container_bytes(payload: usize) -> u64 {
    (payload + container::OVERHEAD_BYTES) as u64
}

fn size(payload: Result<usize, WireError>) -> Result<u64, ManifestError> {
    payload.map(container_bytes).map_err(|_| {
        ManifestError::Impossible("a ciphertext has a level or scale that does not exist")
    })
}
