//! The released models at their real parameters: what was measured is of their weights, and a running evaluation lets go of the cores in time.

mod common;

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use client::{
    Rgb32, Seed, Session,
    protocol::{manifest::STEM, measured::RECORD, problem::ProblemKind},
};
use common::Site;
use native_server::{Settings, engine::Engine, models};

const PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn what_was_measured_is_of_the_released_weights() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let folders = fs::read_dir(models)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let measured: Vec<_> = folders
        .filter(|folder| folder.join(RECORD).exists())
        .collect();
    assert!(!measured.is_empty());
    for folder in measured {
        let engine = models::load(&folder).unwrap();
        assert!(
            engine.manifest().encrypted.is_some(),
            "{}",
            folder.display()
        );
    }
}

#[test]
fn cancelling_a_real_evaluation_frees_the_cores_in_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/cifar100-vit");
    let engine = models::load(&folder).unwrap();
    let manifest = engine.manifest().clone();
    let stem = engine.file(STEM).map(<[u8]>::to_vec);
    let models: Vec<Arc<dyn Engine>> = vec![engine];
    let site = Site::start_with(models, Settings::default());
    // The examination of a client that trusts nothing but real parameters.
    let mut session = Session::new(&manifest, Seed::random().unwrap()).unwrap();
    if let Some(stem) = stem {
        session.load_stem(&stem).unwrap();
    }
    let body =
        serde_json::json!({"model": manifest.model, "configuration": manifest.configuration});
    let answer = site.post_json("/v1/key-sets", &body);
    let set = answer.headers["location"].to_str().unwrap().to_owned();
    for (index, key) in manifest.keys.iter().enumerate() {
        assert_eq!(
            site.upload(&set, &key.name, &session.key(index).unwrap())
                .status,
            204
        );
    }
    let query = session.encrypt_image(&Rgb32([100; 3072])).unwrap();
    let submit = || {
        let answer = site.infer(&set, &query);
        assert_eq!(answer.status, 202);
        answer.headers["location"].to_str().unwrap().to_owned()
    };
    let (first, second) = (submit(), submit());
    reach(&site, &first, 20);
    let start = Instant::now();
    assert_eq!(site.delete(&first).status, 204);
    reach(&site, &second, 0);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    site.outcome(&first).is(ProblemKind::Cancelled);

    let start = Instant::now();
    assert_eq!(site.delete(&set).status, 204);
    site.outcome(&second).is(ProblemKind::Cancelled);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

/// Waits until an inference runs and has done so many thousandths.
fn reach(site: &Site, job: &str, thousandths: u64) {
    loop {
        let answer = site.get(&format!("{job}/result"));
        assert_eq!(
            answer.status,
            202,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let progress = answer.json();
        if progress["layer"] != "queued" && progress["done"].as_u64().unwrap() >= thousandths {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
