//! The smallest sound manifests: four patches of one pixel, two classes, one key; a window of four tokens.

use crate::engine::RING;
use ckks::{Ciphertext, CiphertextSpec, KeyKind, KeySpec, SeededCiphertext, Subring, WireError};
use protocol::{
    check::container_bytes,
    hex::Hex,
    layout::{Axis, Layout, Part},
    manifest::{
        Accuracy, Classify, Complete, Convolution, EMBEDDING, FileEntry, KeyEntry, Manifest,
        Object, PROTOCOL, ParameterSet, Perplexity, Preprocessing, STEM, Security, TOKENIZER, Task,
        configuration_digest,
    },
};

pub(crate) fn sound() -> Result<Manifest, WireError> {
    let key = KeySpec {
        kind: KeyKind::Galois(5),
        level: 1,
    };
    let spec = CiphertextSpec {
        level: 2,
        log_scale: 30.0,
        subring: Subring::Full,
    };
    let axis = Axis {
        size: 3,
        stride: 4,
        part: Part::Real,
    };
    let layout = |tokens, values| Layout {
        tokens,
        values,
        token_stride: 1,
        axes: vec![axis],
    };
    let bytes = container_bytes(key.wire_bytes(&RING));
    Ok(Manifest {
        protocol: PROTOCOL,
        model: "tiny".to_owned(),
        weights: Hex([0; 32]),
        parameters: ParameterSet {
            name: RING.name().to_owned(),
            digest: Hex(RING.digest()),
            log_n: RING.log_n(),
            log_qp: RING.log_qp(),
            security: Security {
                bits: 0,
                source: "none".to_owned(),
            },
        },
        configuration: configuration_digest(&RING.digest(), &[key]),
        keys: vec![KeyEntry {
            name: key.name(),
            spec: key,
            bytes,
        }],
        evaluation_key_bytes: bytes,
        query: Object {
            spec,
            layout: layout(4, 3),
            bytes: container_bytes(SeededCiphertext::wire_bytes(&RING, &spec)?),
        },
        result: Object {
            spec,
            layout: layout(1, 2),
            bytes: container_bytes(Ciphertext::wire_bytes(&RING, &spec)?),
        },
        task: Task::Classify(Classify {
            preprocessing: Preprocessing {
                size: 32,
                mean: [0.5; 3],
                std: [0.2; 3],
                pad: 0,
                patch: 1,
                stride: 31,
                convolutions: vec![Convolution {
                    channels: 1,
                    size: 2,
                    stride: 16,
                    pad: 0,
                }],
            },
            files: vec![FileEntry::of(STEM, b"weights")],
            labels: vec!["apple".to_owned(), "bear".to_owned()],
            accuracy: Accuracy {
                top1: 0.5,
                top5: 0.8,
                images: 100,
            },
        }),
        encrypted: None,
        expected_seconds: 1.0,
    })
}

pub(crate) fn completion() -> Result<Manifest, WireError> {
    let mut manifest = sound()?;
    manifest.query.spec.subring = Subring::Real;
    let bytes = SeededCiphertext::wire_bytes(&RING, &manifest.query.spec)?;
    manifest.query.bytes = container_bytes(bytes);
    manifest.result.layout.values = manifest.query.layout.values;
    let perplexity = Perplexity {
        token: 20.5,
        word: 70.25,
        tokens: 100,
    };
    manifest.task = Task::Complete(Complete {
        window: manifest.query.layout.tokens,
        vocabulary: 266,
        pad: 0,
        files: vec![
            FileEntry::of(TOKENIZER, b"{}"),
            FileEntry::of(EMBEDDING, b"tensors"),
        ],
        perplexity: [("held".to_owned(), perplexity)].into(),
    });
    Ok(manifest)
}
