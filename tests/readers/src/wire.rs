//! What crosses the wire around the cryptography: envelopes, manifests, requests, events.

use protocol::{
    check::Trust,
    container::{self, ObjectType},
    events::EventReader,
    manifest::{KeySetStatus, Manifest, ModelList, NewInference, NewKeySet},
    problem::Problem,
};
use serde::{Serialize, de::DeserializeOwned};

const LIMIT: usize = 1 << 16;

/// An envelope; and the bytes as a payload, sealed by us.
pub(crate) fn container(bytes: &[u8]) {
    let digest = bytes.get(8..40).and_then(|d| d.try_into().ok());
    let digest: [u8; 32] = digest.unwrap_or_default();
    for object in [
        ObjectType::EvaluationKey,
        ObjectType::Query,
        ObjectType::Result,
    ] {
        if let Ok(payload) = container::read(bytes, LIMIT, object, &digest) {
            assert_eq!(container::write(object, &digest, payload), bytes);
        }
        let sealed = container::write(object, &digest, bytes);
        let limit = bytes.len() + container::OVERHEAD_BYTES;
        assert_eq!(container::read(&sealed, limit, object, &digest), Ok(bytes));
    }
}

/// A manifest, as a client examines it before it believes any of it.
pub(crate) fn manifest(bytes: &[u8]) {
    let Some(manifest) = json::<Manifest>(bytes) else {
        return;
    };
    if let Ok(checked) = manifest.check(Trust::InsecureForTests) {
        assert!(
            manifest.check(Trust::Secure).is_err() || checked.parameters.security_bits() >= 128
        );
    }
}

/// Bodies of requests and of their answers.
pub(crate) fn requests(bytes: &[u8]) {
    json::<NewKeySet>(bytes);
    json::<KeySetStatus>(bytes);
    json::<NewInference>(bytes);
    json::<ModelList>(bytes);
    json::<Problem>(bytes);
}

/// A stream of events.
pub(crate) fn events(bytes: &[u8]) {
    let mut reader = EventReader::default();
    for line in String::from_utf8_lossy(bytes).split('\n') {
        if let Ok(Some(event)) = reader.line(line) {
            let text = event
                .to_sse()
                .expect("an event that was read can be written");
            let mut again = EventReader::default();
            let back = text.split('\n').find_map(|line| again.line(line).ok()?);
            assert_eq!(back, Some(event));
        }
    }
}

/// Reads; what was read is the same after it was written and read again.
pub(crate) fn json<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let once = serde_json::to_vec(&value).expect("what was read can be written");
    let back: T = serde_json::from_slice(&once).expect("what was written can be read");
    assert_eq!(serde_json::to_vec(&back).ok(), Some(once));
    Some(value)
}
