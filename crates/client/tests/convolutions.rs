//! A model with convolutions: an image is encrypted with what they add to its patches, and not before their weights are there.

#[path = "../../protocol/tests/common/mod.rs"]
mod wire;

#[path = "common/mod.rs"]
mod files;

use ckks::Parameters;
use client::{
    ClientError, Rgb32, Seed, Session, Trust,
    protocol::{
        container::{self, ObjectType},
        manifest::{Classify, Convolution, FileEntry, Manifest, STEM, Task},
    },
};

const PATCHES: usize = 16;
const INPUTS: usize = 192;

/// Adds 1.5 to the first value of each patch, whatever the image.
fn stem() -> Vec<u8> {
    let mut last = vec![0.0; INPUTS];
    last[0] = 3.0;
    files::file(&[
        ("convolutions.0.weight", vec![1, INPUTS], vec![0.0; INPUTS]),
        ("convolutions.0.bias", vec![1], vec![0.5]),
        ("last.weight", vec![INPUTS, 1], last),
    ])
}

fn classify(manifest: &mut Manifest) -> &mut Classify {
    match &mut manifest.task {
        Task::Classify(classify) => classify,
        Task::Complete(_) => panic!("the manifest is one of images"),
    }
}

fn manifest(stem: &[u8]) -> Manifest {
    let mut manifest = wire::manifest();
    let classify = classify(&mut manifest);
    classify.preprocessing.convolutions = vec![Convolution {
        channels: 1,
        size: 8,
        stride: 8,
        pad: 0,
    }];
    classify.files = vec![FileEntry::of(STEM, stem)];
    manifest
}

fn session(manifest: &Manifest) -> Session {
    let seed = Seed::from_bytes([1; 32]);
    Session::with_trust(manifest, seed, Trust::InsecureForTests).unwrap()
}

/// What a session's image query holds: the echo of a server that computes nothing.
fn encrypted(session: &Session) -> Vec<f32> {
    let query = session.encrypt_image(&Rgb32([90; 3072])).unwrap();
    let parameters = Parameters::by_name(wire::NAME).unwrap();
    let digest = parameters.digest();
    let payload = container::read(&query, 1 << 20, ObjectType::Query, &digest).unwrap();
    let spec = &session.manifest().query.spec;
    let seeded = ckks::SeededCiphertext::from_bytes(&parameters, spec, payload).unwrap();
    let answer = seeded.expand(&parameters).to_bytes(&parameters);
    session
        .decrypt(&container::write(ObjectType::Result, &digest, &answer))
        .unwrap()
}

#[test]
fn what_they_add_is_encrypted() {
    let stem = stem();
    let plain = encrypted(&session(&wire::manifest()));
    let mut session = session(&manifest(&stem));
    session.load_stem(&stem).unwrap();
    let found = encrypted(&session);
    assert_eq!(found.len(), PATCHES * INPUTS);
    for (index, (with, without)) in found.iter().zip(&plain).enumerate() {
        let added = if index % INPUTS == 0 { 1.5 } else { 0.0 };
        let error = (with - without - added).abs();
        assert!(error < 2f32.powi(-13), "{index}: {error}");
    }
}

#[test]
fn nothing_is_encrypted_before_the_weights_are_there() {
    let stem = stem();
    let mut session = session(&manifest(&stem));
    let refused = |session: &Session| session.encrypt_image(&Rgb32([0; 3072])).unwrap_err();
    assert!(matches!(refused(&session), ClientError::NoStem));
    let mut other = stem.clone();
    *other.last_mut().unwrap() ^= 1;
    let refusal = session.load_stem(&other).unwrap_err();
    assert!(matches!(refusal, ClientError::File(name) if name == STEM));
    assert!(matches!(refused(&session), ClientError::NoStem));
    session.load_stem(&stem).unwrap();
    assert!(session.encrypt_image(&Rgb32([0; 3072])).is_ok());
}

#[test]
fn weights_of_other_convolutions_are_refused() {
    let stem = stem();
    let mut manifest = manifest(&stem);
    classify(&mut manifest).preprocessing.convolutions[0].channels = 2;
    let refusal = session(&manifest).load_stem(&stem).unwrap_err();
    assert!(matches!(refusal, ClientError::Stem(_)), "{refusal}");
    let refusal = session(&wire::manifest()).load_stem(&stem).unwrap_err();
    assert!(matches!(refusal, ClientError::File(_)), "{refusal}");
}
