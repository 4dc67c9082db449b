//! Real images at the released parameters, from pixels to the decrypted logits: client, server engine, clear model.

use cipherformer_tests::{direct::Direct, workspace};
use client::Rgb32;
use model::{Vit, image};
use std::path::PathBuf;

/// The largest difference of a logit, relative to the range of the logits.
const DEVIATION: f32 = 1.0 / 64.0;

struct Visit {
    direct: Direct,
    vit: Vit,
}

impl Visit {
    fn new(model: &str) -> Self {
        Self {
            direct: Direct::new(model).unwrap(),
            vit: Vit::load(&workspace::root().join("models").join(model)).unwrap(),
        }
    }

    /// Whether the best class agrees; fails when a logit does not.
    fn agrees(&self, name: &str, rgb: &Rgb32) -> bool {
        let session = &self.direct.session;
        let query = session.encrypt_image(rgb).unwrap();
        let got = session
            .decrypt(&self.direct.answer(&query).unwrap())
            .unwrap();
        let want = self.vit.logits(&self.vit.patches(rgb)).to_vec();
        let extreme = |pick: fn(f32, f32) -> f32| want.iter().copied().reduce(pick).unwrap();
        let range = extreme(f32::max) - extreme(f32::min);
        let deviation = got
            .iter()
            .zip(&want)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max)
            / range;
        println!("{name}: 2^{:.1} of the range", deviation.log2());
        assert!(deviation <= DEVIATION, "{name}: {deviation}");
        model::top_k(&got, 1)[0].0 == model::top_k(&want, 1)[0].0
    }
}

#[test]
fn three_samples_are_classified_as_in_the_clear() {
    let visit = Visit::new("cifar100-vit");
    for name in ["apple", "lion", "rocket"] {
        let file =
            std::fs::read(workspace::root().join(format!("web/samples/{name}.png"))).unwrap();
        assert!(visit.agrees(name, &image::decode(&file).unwrap()), "{name}");
    }
}

#[test]
#[ignore = "a quarter of an hour, and needs the data: run by `just test-long`"]
fn a_hundred_validation_images_are_classified_as_in_the_clear() {
    assert!(agreeing("cifar100-vit", 100) >= 99);
}

#[test]
#[ignore = "an hour, and needs the data: run by `just test-long`"]
fn fifty_validation_images_are_classified_by_the_deep_model_as_in_the_clear() {
    assert!(agreeing("cifar100-vit-deep", 50) >= 49);
}

/// On how many of `count` validation images, one a class, the best class agrees.
fn agreeing(model: &str, count: usize) -> usize {
    let folder = std::env::var_os("CIPHERFORMER_CIFAR100")
        .map_or_else(
            || workspace::root().join("../shared/data/cifar100"),
            PathBuf::from,
        )
        .join("valid");
    let mut strips: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; set CIPHERFORMER_CIFAR100", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    strips.sort();
    assert_eq!(strips.len(), 100, "one strip a class");
    let visit = Visit::new(model);
    let agreeing = strips
        .iter()
        .enumerate()
        .step_by(100 / count)
        .filter(|(class, strip)| {
            let pixels = ::image::open(strip).unwrap().to_rgb8();
            let at = class % (pixels.height() as usize / 32) * 3072;
            let rgb = Rgb32::try_from(&pixels.as_raw()[at..at + 3072]).unwrap();
            visit.agrees(&strip.file_stem().unwrap().to_string_lossy(), &rgb)
        })
        .count();
    println!("{model}: the best class agrees on {agreeing} of {count}");
    agreeing
}
