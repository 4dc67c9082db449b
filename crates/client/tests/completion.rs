//! Prompts on a small ring: every one of them makes a query of the same size, and what comes back becomes scores.

mod common;
#[path = "../../protocol/tests/common/mod.rs"]
mod wire;

use ckks::{EvaluationKeySet, Evaluator, Parameters, SeededCiphertext, SeededKey};
use client::{
    ClientError, Prompt, Rgb32, Sampler, Seed, Session, Trust,
    model::{Embedding, lm},
    protocol::{
        container::{self, ObjectType},
        manifest::{EMBEDDING, Manifest, TOKENIZER},
    },
};
use common::embedding_file;

const VOCABULARY: usize = 300;

fn embedding() -> Embedding {
    let shape = lm::Architecture {
        window: wire::WINDOW as usize,
        width: wire::WIDTH as usize,
        heads: 1,
        hidden: 1,
        blocks: 1,
        vocabulary: VOCABULARY,
    };
    Embedding::random(&shape, 5).unwrap()
}

fn manifest() -> Manifest {
    wire::completion(b"{}", &embedding_file(&embedding()))
}

fn session() -> Session {
    let seed = Seed::from_bytes([1; 32]);
    Session::with_trust(&manifest(), seed, Trust::InsecureForTests).unwrap()
}

// A server that only takes the trace: the answer's place holds twice the vector of the window's first token.
fn echo(session: &Session, query: &[u8]) -> Vec<u8> {
    let manifest = session.manifest();
    let parameters = Parameters::by_name(wire::NAME).unwrap();
    let digest = parameters.digest();
    let payload = |bytes: &[u8], kind| {
        container::read(bytes, 1 << 24, kind, &digest)
            .unwrap()
            .to_vec()
    };
    let query = payload(query, ObjectType::Query);
    let query = SeededCiphertext::from_bytes(&parameters, &manifest.query.spec, &query)
        .unwrap()
        .expand(&parameters);
    let mut keys = EvaluationKeySet::new(&parameters);
    for (index, entry) in manifest.keys.iter().enumerate() {
        let key = payload(&session.key(index).unwrap(), ObjectType::EvaluationKey);
        keys.insert(&SeededKey::from_bytes(&parameters, &entry.spec, &key).unwrap());
    }
    let evaluator = Evaluator::new(&parameters, &keys);
    let answer = evaluator
        .add(&query, &evaluator.conjugate(&query).unwrap())
        .unwrap();
    container::write(ObjectType::Result, &digest, &answer.to_bytes(&parameters))
}

#[test]
fn a_prompt_goes_out_and_scores_of_tokens_come_back() {
    let (session, embedding) = (session(), embedding());
    let read = session.embedding(&embedding_file(&embedding)).unwrap();
    assert_eq!(read, embedding);
    let prompt = session.prompt(&[7, 8, 9]).unwrap();
    let query = session.encrypt_prompt(&read, &prompt).unwrap();
    let answer = echo(&session, &query);

    let rows = embedding.rows(&prompt.ids).unwrap();
    let expected: Vec<f32> = rows.row(0).iter().map(|value| 2.0 * value).collect();
    let hidden = session.decrypt(&answer).unwrap();
    assert_eq!(hidden.len(), expected.len());
    for (found, expected) in hidden.iter().zip(&expected) {
        assert!(
            (found - expected).abs() < 2f32.powi(-12),
            "{found} {expected}"
        );
    }
    let logits = session.decrypt_logits(&read, &answer).unwrap();
    let clear = embedding.logits(&expected).unwrap();
    let pick = |logits: &[f32]| Sampler::new(0.8, 20, 3).unwrap().pick(logits);
    assert_eq!(pick(&logits), pick(&clear));
    assert!(pick(&logits).is_some());
}

#[test]
fn queries_do_not_tell_how_long_the_prompt_is() {
    let (session, embedding) = (session(), embedding());
    let longest = 3 * wire::WINDOW;
    let sizes: Vec<usize> = (0..=longest)
        .map(|length| {
            let ids: Vec<u32> = (0..length).collect();
            let prompt = session.prompt(&ids).unwrap();
            session.encrypt_prompt(&embedding, &prompt).unwrap().len()
        })
        .collect();
    let promised = usize::try_from(session.manifest().query.bytes).unwrap();
    assert_eq!(sizes, vec![promised; longest as usize + 1]);
}

#[test]
fn nothing_of_the_prompt_is_in_the_query() {
    let (session, embedding) = (session(), embedding());
    let prompt = session.prompt(&[250; 16]).unwrap();
    let ids: Vec<u8> = prompt.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    let row: Vec<u8> = embedding
        .rows(&prompt.ids)
        .unwrap()
        .iter()
        .take(4)
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let (first, second) = (
        session.encrypt_prompt(&embedding, &prompt).unwrap(),
        session.encrypt_prompt(&embedding, &prompt).unwrap(),
    );
    for needle in [&ids[..8], &row[..8]] {
        assert!(!first.windows(8).any(|window| window == needle));
    }
    let same = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    assert!(same < first.len() / 50, "{same} of {}", first.len());
}

#[test]
fn files_that_are_not_those_of_the_manifest_are_refused() {
    let session = session();
    let sound = embedding_file(&embedding());
    assert!(session.check_file(TOKENIZER, b"{}").is_ok());
    assert!(
        matches!(session.check_file(TOKENIZER, b"{ }"), Err(ClientError::File(name)) if name == TOKENIZER)
    );
    assert!(matches!(
        session.check_file("other", b"{}"),
        Err(ClientError::File(_))
    ));
    let mut flipped = sound.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for wrong in [&flipped[..], &sound[..sound.len() - 1], b""] {
        let refused = session.embedding(wrong).map(drop).unwrap_err();
        assert!(matches!(refused, ClientError::File(name) if name == EMBEDDING));
    }
}

// A server can name what it likes in its manifest: the digest fits, the tensors do not.
#[test]
fn embeddings_of_another_shape_are_refused() {
    let sound = embedding_file(&embedding());
    for content in [&b"no tensors"[..], &sound[..sound.len() - 4], &[0xff; 64]] {
        let manifest = wire::completion(b"{}", content);
        let seed = Seed::from_bytes([1; 32]);
        let session = Session::with_trust(&manifest, seed, Trust::InsecureForTests).unwrap();
        let refused = session.embedding(content).map(drop).unwrap_err();
        assert!(matches!(refused, ClientError::Embedding(_)), "{refused}");
    }
}

#[test]
fn tokens_and_windows_that_do_not_exist_are_refused() {
    let (session, embedding) = (session(), embedding());
    let encrypt = |ids: &[u32], window| {
        session
            .encrypt_prompt(&embedding, &Prompt::new(ids, window, 0))
            .map(drop)
    };
    assert!(encrypt(&[299], 16).is_ok());
    for (ids, window) in [(&[300][..], 16), (&[u32::MAX], 16), (&[1], 15), (&[1], 17)] {
        let refused = encrypt(ids, window).unwrap_err();
        assert!(matches!(refused, ClientError::Embedding(_)), "{refused}");
    }
}

#[test]
fn images_and_prompts_are_not_confused() {
    let (text, seed) = (session(), Seed::from_bytes([1; 32]));
    let images = Session::with_trust(&wire::manifest(), seed, Trust::InsecureForTests).unwrap();
    let errors = [
        text.encrypt_image(&Rgb32([0; 3072])).unwrap_err(),
        text.classify(&[0.0], 1).unwrap_err(),
        images.prompt(&[1]).unwrap_err(),
        images.embedding(b"").unwrap_err(),
    ];
    let sentences = errors.map(|error| error.to_string());
    assert_eq!(
        sentences[0],
        "this model completes text, it does not classify images"
    );
    assert_eq!(sentences[1], sentences[0]);
    assert_eq!(
        sentences[2],
        "this model classifies images, it does not complete text"
    );
    assert_eq!(sentences[3], sentences[2]);
}
