//! The whole path with real encryption on a small ring: two clients, one server, the answers of the clear model.

mod common;

use std::sync::Arc;

use ckks::Parameters;
use client::{
    Rgb32, Seed, Session, Trust,
    model::{Vit, top_k},
    protocol::{
        container::{self, ObjectType},
        hex::Hex,
        limits,
        problem::ProblemKind,
    },
};
use common::{BINARY, Site};
use native_server::{KeyPlace, Settings, engine::Engine, models::vision_transformer};
use object_store::memory::InMemory;

const CHAIN: usize = 9;

struct Person {
    session: Session,
    set: String,
}

struct Scene {
    site: Site,
    vit: Vit,
}

impl Scene {
    fn new() -> Self {
        Self::over(KeyPlace::Memory)
    }

    fn over(key_place: KeyPlace) -> Self {
        let settings = Settings {
            key_place,
            ..Settings::default()
        };
        let parameters = Parameters::insecure(11, CHAIN).unwrap();
        Self::of(Vit::small(1, 11).unwrap(), &parameters, settings)
    }

    fn of(vit: Vit, parameters: &Parameters, settings: Settings) -> Self {
        let labels = (0..10).map(|class| format!("class {class}")).collect();
        let engine = vision_transformer(&vit, labels, Hex([0; 32]), parameters).unwrap();
        let models: Vec<Arc<dyn Engine>> = vec![engine];
        Self {
            site: Site::start_with(models, settings),
            vit,
        }
    }

    fn person(&self, seed: u8) -> Person {
        let manifest = self.site.get("/v1/models/small").body;
        let manifest = serde_json::from_slice(&manifest).unwrap();
        let seed = Seed::from_bytes([seed; 32]);
        let session = Session::with_trust(&manifest, seed, Trust::InsecureForTests).unwrap();
        let body = serde_json::json!({"model": "small", "configuration": manifest.configuration});
        let answer = self.site.post_json("/v1/key-sets", &body);
        assert_eq!(answer.status, 201);
        let set = answer.headers["location"].to_str().unwrap().to_owned();
        Person { session, set }
    }

    fn ready_person(&self, seed: u8) -> Person {
        let person = self.person(seed);
        for (index, key) in person.session.manifest().keys.iter().enumerate() {
            let bytes = person.session.key(index).unwrap();
            assert_eq!(self.site.upload(&person.set, &key.name, &bytes).status, 204);
        }
        assert!(self.site.missing(&person.set).is_empty());
        person
    }

    fn ask(&self, set: &str, query: &[u8]) -> Vec<u8> {
        let answer = self.site.infer(set, query);
        assert_eq!(
            answer.status,
            202,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let job = answer.headers["location"].to_str().unwrap().to_owned();
        let answer = self.site.outcome(&job);
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.body
    }

    fn clear(&self, picture: &Rgb32) -> Vec<f32> {
        self.vit.logits(&self.vit.patches(picture)).to_vec()
    }
}

fn picture(salt: usize) -> Rgb32 {
    Rgb32(std::array::from_fn(|index| {
        ((index + salt) * (index + 3 * salt) % 251) as u8
    }))
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
fn encrypted_answers_are_those_of_the_clear_model() {
    let scene = Scene::new();
    let people = [scene.ready_person(1), scene.ready_person(2)];
    for salt in 0..2 {
        for person in &people {
            let picture = picture(salt);
            let query = person.session.encrypt_image(&picture).unwrap();
            let answer = scene.ask(&person.set, &query);
            assert_eq!(answer.len() as u64, person.session.manifest().result.bytes);
            let logits = person.session.decrypt(&answer).unwrap();
            let clear = scene.clear(&picture);
            let range = clear.iter().copied().fold(f32::MIN, f32::max)
                - clear.iter().copied().fold(f32::MAX, f32::min);
            let error = largest_error(&logits, &clear);
            assert!(error < range / 64.0, "error {error} of a range of {range}");
            let best = person.session.classify(&logits, 1).unwrap();
            assert_eq!(best[0].class, top_k(&clear, 1)[0].0);
            assert_eq!(best[0].label, format!("class {}", best[0].class));
        }
    }
}

/// Eight blocks on a chain for seven at most: the manifest lists the keys of bootstrapping, the client makes them, progress and cost know them.
#[test]
fn a_model_deeper_than_its_chain_answers_as_the_clear_model_does() {
    let mut vit = Vit::small(8, 3).unwrap();
    for block in &mut vit.blocks {
        block.output.weight.mapv_inplace(|w| w / 4.0);
        block.down.weight.mapv_inplace(|w| w / 4.0);
    }
    for ranges in &mut vit.config.ranges.blocks {
        ranges.stream = 4.0;
    }
    let parameters = Parameters::insecure_bootstrapping(11).unwrap();
    let scene = Scene::of(vit, &parameters, Settings::default());
    let person = scene.ready_person(1);
    let manifest = person.session.manifest();
    let level = |name: &str| {
        let key = manifest.keys.iter().find(|key| key.name == name);
        key.map(|key| key.spec.level)
    };
    assert_eq!(level("to-ephemeral"), Some(1));
    assert_eq!(level("from-ephemeral"), Some(parameters.max_level()));
    assert!(
        manifest.keys.len() <= 16,
        "few keys: {}",
        manifest.keys.len()
    );
    assert!(manifest.expected_seconds > 0.0);
    let picture = picture(1);
    let query = person.session.encrypt_image(&picture).unwrap();
    let answer = scene.ask(&person.set, &query);
    let (logits, clear) = (
        person.session.decrypt(&answer).unwrap(),
        scene.clear(&picture),
    );
    let error = largest_error(&logits, &clear);
    assert!(error < 1.0 / 64.0, "error {error}");
    let best = person.session.classify(&logits, 1).unwrap();
    assert_eq!(best[0].class, top_k(&clear, 1)[0].0);
}

#[test]
fn keys_from_the_store_are_the_keys_that_were_uploaded() {
    let store = Arc::new(InMemory::new());
    let before = Scene::over(KeyPlace::Open(store.clone()));
    let person = before.ready_person(1);
    let after = Scene::over(KeyPlace::Open(store));
    assert!(after.site.missing(&person.set).is_empty());
    let query = person.session.encrypt_image(&picture(1)).unwrap();
    let logits = person
        .session
        .decrypt(&after.ask(&person.set, &query))
        .unwrap();
    assert!(largest_error(&logits, &after.clear(&picture(1))) < 0.1);
}

#[test]
fn nobody_else_can_read_the_answer_or_use_the_keys() {
    let scene = Scene::new();
    let (one, two) = (scene.ready_person(1), scene.ready_person(2));
    let clear = scene.clear(&picture(1));
    let query = one.session.encrypt_image(&picture(1)).unwrap();
    let read_by_another = two.session.decrypt(&scene.ask(&one.set, &query)).unwrap();
    assert!(largest_error(&read_by_another, &clear) > 1e3);
    let under_other_keys = one.session.decrypt(&scene.ask(&two.set, &query)).unwrap();
    assert!(largest_error(&under_other_keys, &clear) > 1e3);
}

#[test]
fn keys_and_queries_that_break_the_rules_are_refused() {
    let scene = Scene::new();
    let bystander = scene.ready_person(1);
    let person = scene.person(2);
    let manifest = person.session.manifest();
    let digest = manifest.parameters.digest.0;
    let name = &manifest.keys[0].name;
    let sound = person.session.key(0).unwrap();
    let payload = container::read(
        &sound,
        limits::CONTAINER_BYTES,
        ObjectType::EvaluationKey,
        &digest,
    );
    let payload = payload.unwrap().to_vec();

    let mut wild = payload.clone();
    wild[40..80].fill(0xff);
    let wild = container::write(ObjectType::EvaluationKey, &digest, &wild);
    scene
        .site
        .upload(&person.set, name, &wild)
        .is(ProblemKind::BadContainer);
    let other = Parameters::insecure(11, CHAIN + 1).unwrap().digest();
    let other = container::write(ObjectType::EvaluationKey, &other, &payload);
    scene
        .site
        .upload(&person.set, name, &other)
        .is(ProblemKind::WrongParameters);
    assert_eq!(scene.site.upload(&person.set, name, &sound).status, 204);

    let query = person.session.encrypt_image(&picture(0)).unwrap();
    let problem = scene
        .site
        .infer(&person.set, &query)
        .is(ProblemKind::MissingKeys);
    assert_eq!(problem.missing.len(), manifest.keys.len() - 1);
    let wild = container::write(ObjectType::Query, &digest, &vec![0xff; query.len() - 80]);
    let id = bystander.set.rsplit('/').next().unwrap();
    let path = format!("/v1/inferences?key_set={id}");
    scene
        .site
        .send("POST", &path, BINARY, &wild)
        .is(ProblemKind::BadContainer);

    let query = bystander.session.encrypt_image(&picture(0)).unwrap();
    let logits = bystander
        .session
        .decrypt(&scene.ask(&bystander.set, &query))
        .unwrap();
    assert!(largest_error(&logits, &scene.clear(&picture(0))) < 0.1);
}
