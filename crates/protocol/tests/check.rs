//! A server may choose among what the client knows; everything else in a manifest is refused.

mod common;

use common::{NAME, WIDTH, WINDOW, completion, manifest};
use protocol::{
    check::Trust,
    ckks::{KeyKind, Parameters, Subring},
    hex::Hex,
    layout::{Axis, Part},
    limits,
    manifest::{
        Classify, Complete, Convolution, FileEntry, Manifest, ManifestError, STEM, Task,
        configuration_digest,
    },
};

fn check(change: impl FnOnce(&mut Manifest)) -> Result<(), ManifestError> {
    let mut manifest = manifest();
    change(&mut manifest);
    manifest.check(Trust::InsecureForTests).map(drop)
}

fn classify(manifest: &mut Manifest) -> &mut Classify {
    match &mut manifest.task {
        Task::Classify(classify) => classify,
        Task::Complete(_) => panic!("it completes"),
    }
}

fn complete(manifest: &mut Manifest) -> &mut Complete {
    match &mut manifest.task {
        Task::Complete(complete) => complete,
        Task::Classify(_) => panic!("it classifies"),
    }
}

// Makes the configuration digest fit again, so that only the change under test can be the reason for a refusal.
fn seal(manifest: &mut Manifest) {
    let digest = Parameters::by_name(NAME).unwrap().digest();
    let specs: Vec<_> = manifest.keys.iter().map(|key| key.spec).collect();
    manifest.configuration = configuration_digest(&digest, &specs);
    manifest.evaluation_key_bytes = manifest.keys.iter().map(|key| key.bytes).sum();
}

#[test]
fn a_sound_manifest_passes_and_survives_json() {
    assert_eq!(check(|_| {}), Ok(()));
    let json = serde_json::to_string(&manifest()).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest());
    let text = completion(b"tokenizer", b"embedding");
    assert_eq!(
        text.check(Trust::InsecureForTests).map(drop),
        Ok(()),
        "the refusals of other tests are not for want of a sound manifest"
    );
    let json = serde_json::to_value(&text).unwrap();
    assert_eq!(json["task"]["kind"], "complete");
    assert_eq!(serde_json::from_value::<Manifest>(json).unwrap(), text);
}

#[test]
fn test_parameters_are_refused_outside_tests() {
    let refused = manifest().check(Trust::Secure).map(drop);
    assert_eq!(
        refused,
        Err(ManifestError::Insecure {
            name: NAME.to_owned(),
            bits: 0
        })
    );
}

#[test]
fn unknown_and_altered_parameters_are_refused() {
    let name = "n15-q9999-p1".to_owned();
    let refused = check(|manifest| manifest.parameters.name = name.clone());
    assert_eq!(refused, Err(ManifestError::UnknownParameters(name)));
    let refused = check(|manifest| manifest.parameters.digest = Hex([1; 32]));
    assert_eq!(
        refused,
        Err(ManifestError::OtherParameters(NAME.to_owned()))
    );
    // The claims beside the name are for people: they change nothing that is computed.
    assert_eq!(check(|manifest| manifest.parameters.log_qp = 1e9), Ok(()));
    assert_eq!(
        check(|manifest| manifest.protocol = 1),
        Err(ManifestError::Protocol(1))
    );
}

#[test]
fn keys_that_cannot_be_are_refused() {
    let impossible: [fn(&mut Manifest); 8] = [
        |manifest| manifest.keys[0].spec.level = 3,
        |manifest| manifest.keys[0].spec.level = usize::MAX,
        |manifest| manifest.keys[1].spec.kind = KeyKind::Galois(4),
        |manifest| manifest.keys[1].spec.kind = KeyKind::Galois(u32::MAX),
        |manifest| manifest.keys[1].name = "relinearization".to_owned(),
        |manifest| manifest.keys[1] = manifest.keys[2].clone(),
        |manifest| manifest.keys[1].bytes += 1,
        |manifest| manifest.keys = vec![manifest.keys[0].clone(); 129],
    ];
    for (index, change) in impossible.into_iter().enumerate() {
        let refused = check(|manifest| {
            change(manifest);
            seal(manifest);
        });
        assert!(
            matches!(refused, Err(ManifestError::Impossible(_))),
            "{index}: {refused:?}"
        );
    }
    assert!(check(|manifest| manifest.evaluation_key_bytes += 1).is_err());
    assert!(check(|manifest| manifest.configuration = Hex([0; 32])).is_err());
    let fewer = check(|manifest| {
        manifest.keys.pop();
        seal(manifest);
    });
    assert_eq!(
        fewer,
        Ok(()),
        "the other refusals are not for want of sealing"
    );
}

#[test]
fn ciphertexts_that_cannot_be_are_refused() {
    let impossible: [fn(&mut Manifest); 9] = [
        |manifest| manifest.query.spec.level = 3,
        |manifest| manifest.query.spec.log_scale = f64::NAN,
        |manifest| manifest.query.spec.log_scale = 1e6,
        |manifest| manifest.query.bytes -= 1,
        |manifest| manifest.query.layout.tokens = 17,
        |manifest| manifest.query.layout.token_stride = 0,
        |manifest| manifest.result.bytes += 1,
        |manifest| manifest.result.spec.subring = Subring::Even,
        |manifest| drop(classify(manifest).labels.pop()),
    ];
    for (index, change) in impossible.into_iter().enumerate() {
        assert!(check(change).is_err(), "{index}");
    }
}

#[test]
fn preprocessing_that_cannot_be_is_refused() {
    let impossible: [fn(&mut Manifest); 9] = [
        |manifest| classify(manifest).preprocessing.size = 64,
        |manifest| classify(manifest).preprocessing.stride = 0,
        |manifest| classify(manifest).preprocessing.patch = 0,
        |manifest| classify(manifest).preprocessing.patch = 33,
        |manifest| classify(manifest).preprocessing.patch = u32::MAX,
        |manifest| classify(manifest).preprocessing.pad = u32::MAX,
        |manifest| classify(manifest).preprocessing.stride = 4,
        |manifest| classify(manifest).preprocessing.mean[0] = f32::NAN,
        |manifest| classify(manifest).preprocessing.std[2] = 0.0,
    ];
    for (index, change) in impossible.into_iter().enumerate() {
        assert!(check(change).is_err(), "{index}");
    }
}

#[test]
fn a_step_of_preprocessing_that_is_not_known_is_refused() {
    let mut json = serde_json::to_value(manifest()).unwrap();
    assert!(serde_json::from_value::<Manifest>(json.clone()).is_ok());
    json["task"]["preprocessing"]["blur"] = 2.into();
    assert!(serde_json::from_value::<Manifest>(json).is_err());
}

#[test]
fn convolutions_come_with_their_weights_and_the_other_way_round() {
    let convolution = Convolution {
        channels: 1,
        size: 8,
        stride: 8,
        pad: 0,
    };
    let with = |convolutions: usize, files: &[&str]| {
        check(|manifest| {
            let classify = classify(manifest);
            classify.preprocessing.convolutions = vec![convolution; convolutions];
            let entries = files.iter().map(|name| FileEntry::of(name, b"weights"));
            classify.files = entries.collect();
        })
    };
    assert_eq!(with(1, &[STEM]), Ok(()));
    for (convolutions, files) in [
        (1, &[][..]),
        (1, &["other"]),
        (0, &[STEM]),
        (1, &[STEM, STEM]),
        (1, &[STEM, "../a"]),
    ] {
        assert!(
            with(convolutions, files).is_err(),
            "{convolutions} {files:?}"
        );
    }
}

#[test]
fn completion_that_cannot_be_is_refused() {
    type Change = fn(&mut Manifest);
    let files: [Change; 12] = [
        |manifest| complete(manifest).files.clear(),
        |manifest| drop(complete(manifest).files.pop()),
        |manifest| drop(complete(manifest).files.remove(0)),
        |manifest| complete(manifest).files[0].name = complete(manifest).files[1].name.clone(),
        |manifest| complete(manifest).files[0].bytes = 0,
        |manifest| complete(manifest).files[1].bytes = limits::FILE_BYTES as u64 + 1,
        |manifest| complete(manifest).files[1].bytes = u64::MAX,
        |manifest| complete(manifest).files.push(FileEntry::of("", b"x")),
        |manifest| complete(manifest).files.push(FileEntry::of("../a", b"x")),
        |manifest| complete(manifest).files.push(FileEntry::of(".a", b"x")),
        |manifest| {
            complete(manifest)
                .files
                .push(FileEntry::of(&"a".repeat(65), b"x"))
        },
        |manifest| {
            let names = (0..limits::FILES).map(|index| format!("file{index}"));
            complete(manifest)
                .files
                .extend(names.map(|name| FileEntry::of(&name, b"x")));
        },
    ];
    let sizes: [Change; 12] = [
        |manifest| complete(manifest).window = 0,
        |manifest| complete(manifest).window = WINDOW + 1,
        |manifest| complete(manifest).window = WINDOW - 1,
        |manifest| complete(manifest).window = u32::MAX,
        |manifest| complete(manifest).vocabulary = 0,
        |manifest| complete(manifest).vocabulary = u32::MAX,
        |manifest| complete(manifest).pad = complete(manifest).vocabulary,
        |manifest| manifest.query.layout.values = WIDTH - 1,
        |manifest| manifest.result.layout.values = WIDTH - 1,
        |manifest| manifest.query.layout.tokens = WINDOW / 2,
        |manifest| manifest.query.spec.subring = Subring::Full,
        |manifest| {
            let axis = Axis {
                size: 2,
                stride: 0,
                part: Part::Imaginary,
            };
            manifest.query.layout.axes[0].size = WIDTH / 2;
            manifest.query.layout.axes.push(axis);
        },
    ];
    for (index, change) in files.into_iter().chain(sizes).enumerate() {
        let mut manifest = completion(b"tokenizer", b"embedding");
        change(&mut manifest);
        let refused = manifest.check(Trust::InsecureForTests);
        assert!(refused.is_err(), "{index}");
    }
}

#[test]
fn files_are_known_by_size_and_digest() {
    let file = FileEntry::of("a", b"content");
    assert!(file.is(b"content"));
    assert!(!file.is(b"c0ntent") && !file.is(b"conten") && !file.is(b"content."));
}
