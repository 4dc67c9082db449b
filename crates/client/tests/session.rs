//! A session on a small ring: what it gives out can be read back by the right key only.

#[path = "../../protocol/tests/common/mod.rs"]
mod common;

use ckks::{Parameters, SeededCiphertext, SeededKey};
use client::{
    ClientError, Rgb32, Seed, Session, Trust,
    model::{Preprocessing, image},
    protocol::{
        container::{self, ContainerError, ObjectType},
        hex::Hex,
        manifest::{Classify, ManifestError, Task},
    },
};

fn session(seed: u8) -> Session {
    let seed = Seed::from_bytes([seed; 32]);
    Session::with_trust(&common::manifest(), seed, Trust::InsecureForTests).unwrap()
}

fn picture() -> Rgb32 {
    let mut pixels = [0; 3072];
    for (index, pixel) in pixels.iter_mut().enumerate() {
        *pixel = (index * index % 251) as u8;
    }
    Rgb32(pixels)
}

// What a server that computes nothing would answer.
fn echo(query: &[u8]) -> Vec<u8> {
    let manifest = common::manifest();
    let parameters = Parameters::by_name(common::NAME).unwrap();
    let digest = parameters.digest();
    let payload = container::read(query, 1 << 20, ObjectType::Query, &digest).unwrap();
    let seeded = SeededCiphertext::from_bytes(&parameters, &manifest.query.spec, payload).unwrap();
    container::write(
        ObjectType::Result,
        &digest,
        &seeded.expand(&parameters).to_bytes(&parameters),
    )
}

fn patches() -> Vec<f32> {
    let Task::Classify(Classify {
        preprocessing: steps,
        ..
    }) = common::manifest().task
    else {
        panic!("the manifest is one of images");
    };
    let preprocessing = Preprocessing {
        size: 32,
        mean: steps.mean,
        std: steps.std,
        pad: 0,
        patch: 8,
        stride: 8,
        convolutions: Vec::new(),
    };
    image::patches(&picture(), &preprocessing)
        .iter()
        .copied()
        .collect()
}

fn largest_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn what_is_encrypted_comes_back() {
    let session = session(1);
    let query = session.encrypt_image(&picture()).unwrap();
    assert_eq!(query.len() as u64, session.manifest().query.bytes);
    let values = session.decrypt(&echo(&query)).unwrap();
    let error = largest_error(&values, &patches());
    assert!(error < 2f32.powi(-14), "error {error}");
    let best = &session.classify(&values, 5).unwrap()[0];
    let largest = values.iter().copied().fold(f32::MIN, f32::max);
    assert_eq!(values[best.class], largest);
    assert_eq!(best.label, best.class.to_string());
}

#[test]
fn another_key_reads_noise() {
    let query = session(1).encrypt_image(&picture()).unwrap();
    let values = session(2).decrypt(&echo(&query)).unwrap();
    assert!(largest_error(&values, &patches()) > 1e3);
}

#[test]
fn every_query_is_different() {
    let session = session(1);
    let (first, second) = (
        session.encrypt_image(&picture()).unwrap(),
        session.encrypt_image(&picture()).unwrap(),
    );
    let same = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    assert!(
        same < first.len() / 50,
        "{same} of {} bytes are equal",
        first.len()
    );
}

#[test]
fn keys_have_the_promised_size_and_depend_on_the_seed_alone() {
    let (one, again, other) = (session(1), session(1), session(2));
    let parameters = Parameters::by_name(common::NAME).unwrap();
    for (index, entry) in one.manifest().keys.iter().enumerate() {
        let bytes = one.key(index).unwrap();
        assert_eq!(bytes.len() as u64, entry.bytes);
        let kind = ObjectType::EvaluationKey;
        let payload = container::read(&bytes, bytes.len(), kind, &parameters.digest()).unwrap();
        assert!(SeededKey::from_bytes(&parameters, &entry.spec, payload).is_ok());
        assert_eq!(bytes, again.key(index).unwrap());
        assert_ne!(bytes, other.key(index).unwrap());
    }
    assert!(matches!(one.key(3), Err(ClientError::NoSuchKey(3))));
}

#[test]
fn fingerprints_tell_keys_apart() {
    let of = |seed: u8| session(seed).fingerprint(&session(seed).key(0).unwrap());
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert!(of(1).len() == 16 && of(1).bytes().all(|digit| digit.is_ascii_hexdigit()));
}

#[test]
fn clear_weights_are_known_by_their_digest() {
    let mut manifest = common::manifest();
    manifest.weights = Hex(*blake3::hash(b"configuration and weights").as_bytes());
    let seed = Seed::from_bytes([1; 32]);
    let session = Session::with_trust(&manifest, seed, Trust::InsecureForTests).unwrap();
    assert!(
        session
            .check_weights(b"configuration and ", b"weights")
            .is_ok()
    );
    for (config, weights) in [
        (&b""[..], &b"weights"[..]),
        (b"configuration and ", b"Weights"),
    ] {
        let refused = session.check_weights(config, weights);
        assert!(matches!(refused, Err(ClientError::File(_))));
    }
}

#[test]
fn nothing_that_is_sent_contains_the_seed_or_the_image() {
    let seed = *b"a seed that would be seen at once";
    let seed: [u8; 32] = seed[..32].try_into().unwrap();
    let manifest = common::manifest();
    let session =
        Session::with_trust(&manifest, Seed::from_bytes(seed), Trust::InsecureForTests).unwrap();
    let mut sent: Vec<_> = (0..manifest.keys.len())
        .map(|index| session.key(index).unwrap())
        .collect();
    sent.push(session.encrypt_image(&picture()).unwrap());
    for body in sent {
        for needle in [&seed[..16], &seed[16..], &picture().0[..16]] {
            assert!(!body.windows(needle.len()).any(|window| window == needle));
        }
    }
}

#[test]
fn damaged_answers_are_refused() {
    let session = session(1);
    let sound = echo(&session.encrypt_image(&picture()).unwrap());
    let error = |bytes: &[u8]| session.decrypt(bytes).unwrap_err();
    assert!(matches!(
        error(&sound[..100]),
        ClientError::Answer(ContainerError::Truncated { .. })
    ));
    let mut flipped = sound.clone();
    flipped[1000] ^= 1;
    assert!(matches!(
        error(&flipped),
        ClientError::Answer(ContainerError::Checksum)
    ));
    let digest = Parameters::by_name(common::NAME).unwrap().digest();
    let short = container::write(ObjectType::Result, &digest, &[0; 64]);
    assert!(matches!(error(&short), ClientError::Ciphertext(_)));
    let wild = container::write(ObjectType::Result, &digest, &vec![0xff; sound.len() - 80]);
    assert!(matches!(error(&wild), ClientError::Ciphertext(_)));
    let mut long = sound;
    long.push(0);
    assert!(matches!(
        error(&long),
        ClientError::Answer(ContainerError::TooLarge { .. })
    ));
}

#[test]
fn a_released_client_makes_no_key_for_test_parameters() {
    let seed = Seed::from_bytes([1; 32]);
    let refused = Session::new(&common::manifest(), seed)
        .map(drop)
        .unwrap_err();
    assert!(matches!(
        refused,
        ClientError::Manifest(ManifestError::Insecure { .. })
    ));
}

#[test]
fn manifests_that_are_no_json_are_refused() {
    for text in ["", "{}", "null", "[1]", &"x".repeat(2 << 20)] {
        let seed = Seed::from_bytes([1; 32]);
        let refused = Session::from_json(text.as_bytes(), seed)
            .map(drop)
            .unwrap_err();
        assert!(matches!(refused, ClientError::Unreadable(_)));
    }
}
