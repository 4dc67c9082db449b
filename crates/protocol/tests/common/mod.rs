//! Sound manifests on a small ring: for images cut into 16 patches, and for prompts of 16 tokens.

#![allow(dead_code, reason = "every test file uses another part")]

use protocol::{
    check::container_bytes,
    ckks::{Ciphertext, CiphertextSpec, KeyKind, KeySpec, Parameters, SeededCiphertext, Subring},
    hex::Hex,
    layout::{Axis, Layout, Part},
    manifest::{
        Accuracy, Classify, Complete, EMBEDDING, FileEntry, KeyEntry, Manifest, Object, PROTOCOL,
        ParameterSet, Perplexity, Preprocessing, Security, TOKENIZER, Task, configuration_digest,
    },
};

/// Name of the small ring.
pub const NAME: &str = "insecure-n12-l3";

/// A manifest whose answer has the form of its query, so that a test can send one back as the other.
pub fn manifest() -> Manifest {
    let parameters = Parameters::by_name(NAME).unwrap();
    let specs = [
        KeyKind::Relinearization,
        KeyKind::Galois(5),
        KeyKind::Galois(25),
    ]
    .map(|kind| KeySpec { kind, level: 1 });
    let keys: Vec<_> = specs
        .iter()
        .map(|spec| KeyEntry {
            name: spec.name(),
            spec: *spec,
            bytes: container_bytes(spec.wire_bytes(&parameters)),
        })
        .collect();
    let spec = CiphertextSpec {
        level: 2,
        log_scale: 30.0,
        subring: Subring::Full,
    };
    let real = |size, stride| Axis {
        size,
        stride,
        part: Part::Real,
    };
    let imaginary = Axis {
        size: 2,
        stride: 0,
        part: Part::Imaginary,
    };
    let axes = vec![real(64, 16), imaginary, real(2, 1024)];
    let layout = Layout {
        tokens: 16,
        values: 192,
        token_stride: 1,
        axes,
    };
    let object = |bytes| Object {
        spec,
        layout: layout.clone(),
        bytes: container_bytes(bytes),
    };
    Manifest {
        protocol: PROTOCOL,
        model: "small".to_owned(),
        weights: Hex([0; 32]),
        parameters: ParameterSet {
            name: NAME.to_owned(),
            digest: Hex(parameters.digest()),
            log_n: parameters.log_n(),
            log_qp: parameters.log_qp(),
            security: Security {
                bits: 0,
                source: "none".to_owned(),
            },
        },
        configuration: configuration_digest(&parameters.digest(), &specs),
        evaluation_key_bytes: keys.iter().map(|key| key.bytes).sum(),
        keys,
        query: object(SeededCiphertext::wire_bytes(&parameters, &spec).unwrap()),
        result: object(Ciphertext::wire_bytes(&parameters, &spec).unwrap()),
        task: Task::Classify(Classify {
            preprocessing: Preprocessing {
                size: 32,
                mean: [0.5, 0.4, 0.3],
                std: [0.2, 0.3, 0.4],
                pad: 0,
                patch: 8,
                stride: 8,
                convolutions: Vec::new(),
            },
            files: Vec::new(),
            labels: (0..16 * 192).map(|class| class.to_string()).collect(),
            accuracy: Accuracy {
                top1: 0.5,
                top5: 0.8,
                images: 100,
            },
        }),
        encrypted: None,
        expected_seconds: 1.0,
    }
}

/// Tokens that the completion model sees.
pub const WINDOW: u32 = 16;

/// Width of its tokens.
pub const WIDTH: u32 = 32;

/// The manifest of a model that completes prompts; `tokenizer` and `embedding` are the content of its files. Among its keys is
/// that of the conjugation, so that a test can take the trace of its query.
pub fn completion(tokenizer: &[u8], embedding: &[u8]) -> Manifest {
    let mut manifest = manifest();
    let parameters = Parameters::by_name(NAME).unwrap();
    let layout = |tokens, token_stride| Layout {
        tokens,
        values: WIDTH,
        token_stride,
        axes: vec![Axis {
            size: WIDTH,
            stride: WINDOW,
            part: Part::Real,
        }],
    };
    let conjugation = KeySpec {
        kind: KeyKind::Galois(2 * parameters.degree() as u32 - 1),
        level: 2,
    };
    manifest.keys = vec![KeyEntry {
        name: conjugation.name(),
        spec: conjugation,
        bytes: container_bytes(conjugation.wire_bytes(&parameters)),
    }];
    manifest.evaluation_key_bytes = manifest.keys.iter().map(|key| key.bytes).sum();
    manifest.configuration = configuration_digest(&parameters.digest(), [&conjugation]);
    manifest.query.spec.subring = Subring::Real;
    let bytes = SeededCiphertext::wire_bytes(&parameters, &manifest.query.spec).unwrap();
    manifest.query.bytes = container_bytes(bytes);
    manifest.query.layout = layout(WINDOW, 1);
    manifest.result.layout = layout(1, 0);
    let perplexity = Perplexity {
        token: 21.5,
        word: 80.25,
        tokens: 1000,
    };
    manifest.task = Task::Complete(Complete {
        window: WINDOW,
        vocabulary: 300,
        pad: 0,
        files: vec![
            FileEntry::of(TOKENIZER, tokenizer),
            FileEntry::of(EMBEDDING, embedding),
        ],
        perplexity: [("held-out".to_owned(), perplexity)].into(),
    });
    manifest
}
