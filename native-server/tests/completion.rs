//! The completion path with real encryption on a small ring: files down, windows up, the clear model's scores back.

#[path = "../../crates/client/tests/common/mod.rs"]
mod files;
#[path = "../../crates/tokenizer/tests/common/mod.rs"]
mod tokens;

mod common;

use ckks::Parameters;
use client::{
    Sampler, Seed, Session, Trust,
    model::{Embedding, Lm},
    protocol::{
        hex::Hex,
        manifest::{EMBEDDING, TOKENIZER},
    },
};
use common::Site;
use native_server::{Settings, models::language_model};

const CHAIN: usize = 9;

struct Scene {
    site: Site,
    session: Session,
    set: String,
    lm: Lm,
    embedding: Embedding,
}

impl Scene {
    fn new() -> Self {
        let (lm, embedding) = Lm::small(1, tokens::VOCABULARY, 11).unwrap();
        let parameters = Parameters::insecure(11, CHAIN).unwrap();
        let (tokenizer, file) = (
            tokens::small().into_bytes(),
            files::embedding_file(&embedding),
        );
        let engine = language_model(&lm, tokenizer, file, Hex([0; 32]), &parameters).unwrap();
        let site = Site::start_with(vec![engine], Settings::default());
        let manifest = site.get("/v1/models/small-lm").body;
        let manifest = serde_json::from_slice(&manifest).unwrap();
        let seed = Seed::from_bytes([1; 32]);
        let session = Session::with_trust(&manifest, seed, Trust::InsecureForTests).unwrap();
        let body =
            serde_json::json!({"model": "small-lm", "configuration": manifest.configuration});
        let answer = site.post_json("/v1/key-sets", &body);
        let set = answer.headers["location"].to_str().unwrap().to_owned();
        for (index, key) in manifest.keys.iter().enumerate() {
            let bytes = session.key(index).unwrap();
            assert_eq!(site.upload(&set, &key.name, &bytes).status, 204);
        }
        Self {
            site,
            session,
            set,
            lm,
            embedding,
        }
    }

    fn file(&self, name: &str) -> Vec<u8> {
        let answer = self.site.get(&format!("/v1/models/small-lm/files/{name}"));
        assert_eq!(answer.status, 200, "{name}");
        answer.body
    }

    fn ask(&self, query: &[u8]) -> Vec<u8> {
        let answer = self.site.infer(&self.set, query);
        let job = answer.headers["location"].to_str().unwrap().to_owned();
        let answer = self.site.outcome(&job);
        assert_eq!(answer.status, 200);
        answer.body
    }
}

#[test]
fn encrypted_scores_are_those_of_the_clear_model_for_every_length_of_prompt() {
    let scene = Scene::new();
    let Scene { session, .. } = &scene;
    session
        .check_file(TOKENIZER, &scene.file(TOKENIZER))
        .unwrap();
    let embedding = session.embedding(&scene.file(EMBEDDING)).unwrap();
    assert_eq!(embedding, scene.embedding);
    let mut traffic = Vec::new();
    for length in [0, 1, 15, 16, 17, 40] {
        let ids: Vec<u32> = (0..length).map(|index| (index * 37 + 5) % 266).collect();
        let prompt = session.prompt(&ids).unwrap();
        let query = session.encrypt_prompt(&embedding, &prompt).unwrap();
        let answer = scene.ask(&query);
        traffic.push((query.len(), answer.len()));
        let logits = session.decrypt_logits(&embedding, &answer).unwrap();
        let rows = embedding.rows(&prompt.ids).unwrap();
        let clear = embedding.logits(&scene.lm.hidden(&rows).to_vec()).unwrap();
        let spread = |of: fn(f32, f32) -> f32| clear.iter().copied().reduce(of).unwrap();
        let range = spread(f32::max) - spread(f32::min);
        for (found, expected) in logits.iter().zip(&clear) {
            assert!(
                (found - expected).abs() < range / 64.0,
                "{length}: {found} {expected}"
            );
        }
        let pick = |logits: &[f32]| Sampler::new(0.0, 0, 0).unwrap().pick(logits);
        assert_eq!(pick(&logits), pick(&clear), "{length}");
    }
    traffic.dedup();
    assert_eq!(
        traffic.len(),
        1,
        "sizes tell the prompt's length: {traffic:?}"
    );
}
