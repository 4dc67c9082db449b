//! Keys and ciphertexts, on the smallest ring: their readers do the same on every ring.

use crate::wire::json;
use ckks::{
    Ciphertext, CiphertextSpec, EvaluationKeySet, KeyKind, KeySpec, Parameters, SeededCiphertext,
    SeededKey, Subring, WireError,
};
use std::{borrow::Cow, sync::LazyLock};

/// The ring of keys and ciphertexts here.
pub(crate) static RING: LazyLock<Parameters> =
    LazyLock::new(|| Parameters::by_name("insecure-n5-l9").expect("a set for tests"));

/// Two bytes choose what the rest is read as; with the highest bit of the first, the rest is cut or filled up to the right length.
fn split(bytes: &[u8]) -> Option<(u8, u8, bool, &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    Some((first & 0x7f, second, first >= 0x80, rest))
}

fn fitted(rest: &[u8], fit: bool, length: usize) -> Cow<'_, [u8]> {
    if !fit {
        return rest.into();
    }
    let mut fitted = rest.to_vec();
    fitted.resize(length, 0);
    fitted.into()
}

/// A seeded evaluation key.
pub(crate) fn key(bytes: &[u8]) {
    let Some((level, kind, fit, rest)) = split(bytes) else {
        return;
    };
    let kind = match kind {
        0 => KeyKind::Relinearization,
        element => KeyKind::Galois(element.into()),
    };
    let spec = KeySpec {
        kind,
        level: level.into(),
    };
    let payload = fitted(rest, fit, spec.wire_bytes(&RING));
    if let Ok(key) = SeededKey::from_bytes(&RING, &spec, &payload) {
        assert_eq!(key.to_bytes(&RING), *payload);
        let mut keys = EvaluationKeySet::new(&RING);
        keys.insert(&key);
        assert!(keys.contains(&spec));
    } else if fit && spec.check(&RING).is_ok() {
        let refused = SeededKey::from_bytes(&RING, &spec, &payload).err();
        assert_eq!(refused, Some(WireError::Residue));
    }
}

/// A query or a result.
pub(crate) fn ciphertext(bytes: &[u8]) {
    let Some((level, kind, fit, rest)) = split(bytes) else {
        return;
    };
    let subring = [Subring::Full, Subring::Even, Subring::Real][usize::from(kind % 3)];
    let spec = CiphertextSpec {
        level: level.into(),
        log_scale: f64::from(kind / 3),
        subring,
    };
    if let Ok(length) = SeededCiphertext::wire_bytes(&RING, &spec) {
        let payload = fitted(rest, fit, length);
        if let Ok(ciphertext) = SeededCiphertext::from_bytes(&RING, &spec, &payload) {
            assert_eq!(ciphertext.to_bytes(&RING), *payload);
            assert_eq!(ciphertext.expand(&RING).level(), spec.level);
        }
    }
    if let Ok(length) = Ciphertext::wire_bytes(&RING, &spec) {
        let payload = fitted(rest, fit, length);
        if let Ok(ciphertext) = Ciphertext::from_bytes(&RING, &spec, &payload) {
            assert_eq!(ciphertext.to_bytes(&RING), *payload);
        }
    }
}

/// Shapes of keys and ciphertexts as JSON, which decide how much is allocated.
pub(crate) fn specifications(bytes: &[u8]) {
    if let Some(spec) = json::<KeySpec>(bytes) {
        assert_eq!(spec.wire_bytes(&RING) == 0, spec.check(&RING).is_err());
        assert!(!spec.name().is_empty());
    }
    if let Some(spec) = json::<CiphertextSpec>(bytes) {
        let sizes = SeededCiphertext::wire_bytes(&RING, &spec).ok();
        let sizes = sizes.zip(Ciphertext::wire_bytes(&RING, &spec).ok());
        assert!(sizes.is_none_or(|(seeded, full)| seeded < full && full < 1 << 20));
    }
}
