//! A person's visit in real Chromium, against the real server: two pictures are classified, one work is cancelled.
//!
//! A proxy records every byte that leaves the browser. Neither picture nor secret may be among them, in any form or in
//! part, and no other host may be asked for anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::proxy::Recorded;
use cipherformer_tests::scan::hexadecimal;
use cipherformer_tests::visit::{
    Outcome, SEED, SOON, Visit, WORK, is_static, lines, scanner_for_seed,
};
use cipherformer_tests::workspace;
use client::Rgb32;
use model::{Vit, image, labels, top_k};

const MODEL: &str = "cifar100-vit";
const SAMPLE: &str = "sunflower";
/// The picture that the person's own file is made from.
const OTHER: &str = "mountain";

#[test]
fn a_picture_is_classified_and_nothing_of_it_leaves_the_browser() -> Outcome<()> {
    let reference = Reference::load()?;
    let folder = Scratch::new()?;
    let mut visit = Visit::start("")?;
    let page = &mut visit.page;

    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    bad_pictures_are_refused(page, &folder.0)?;

    let samples = workspace::root().join("web/samples");
    let sample = samples.join(format!("{SAMPLE}.png"));
    page.evaluate(&format!(
        "document.querySelector('#gallery input[value=\"{SAMPLE}.png\"]').click()"
    ))?;
    page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
    let before = visit.proxy.recorded();
    assert!(
        before.iter().all(is_static),
        "requests before the button was pressed: {:#?}",
        lines(&before)
    );
    let began = Instant::now();
    let answer = classify(page)?;
    println!("first picture: {answer} after {:.1?}", began.elapsed());
    assert_eq!(
        answer,
        reference.label(&fs::read(&sample)?)?,
        "the page and the reference model disagree"
    );

    let own = folder.0.join("own.png");
    let pixels = recognisable(&samples.join(format!("{OTHER}.png")), &own)?;
    page.pick_file("#file", &own)?;
    page.wait_for(
        "document.querySelector('#drop').classList.contains('chosen')",
        SOON,
    )?;
    let began = Instant::now();
    let answer = classify(page)?;
    println!(
        "second picture, same keys: {answer} after {:.1?}",
        began.elapsed()
    );
    assert_eq!(
        answer,
        reference.label(&fs::read(&own)?)?,
        "the page and the reference model disagree"
    );

    let memory = visit.memory("#answer")?;
    let keys = visit.session(MODEL)?.manifest().evaluation_key_bytes;
    assert!(
        memory < keys,
        "{memory} bytes of wasm memory: more than a key or two were alive"
    );
    cancel(&mut visit.page)?;
    visit
        .page
        .evaluate("document.querySelector('#forget').click()")?;
    let forgotten = |request: &Recorded| {
        request.line.starts_with("DELETE ") && request.line.contains("/v1/key-sets/")
    };
    let deadline = Instant::now() + SOON;
    while !visit.proxy.recorded().iter().any(forgotten) {
        assert!(Instant::now() < deadline, "the keys were not deleted");
        std::thread::sleep(Duration::from_millis(50));
    }

    visit.assert_recorded(MODEL, 3)?;
    let recorded = visit.proxy.recorded();
    assert!(
        !lines(&recorded)
            .iter()
            .any(|line| line.contains("tokenizer") || line.contains("embedding")),
        "a visit for pictures fetches nothing for words"
    );

    let mut scanner = scanner_for_seed();
    for (name, file) in [("the sample", &sample), ("the picked file", &own)] {
        let bytes = fs::read(file)?;
        scanner.add_text_and_windows(&format!("{name}'s file"), &bytes, 64);
        scanner.add_text_and_windows(&format!("{name}'s pixels"), &decode(&bytes)?.0, 64);
    }
    visit.assert_scanner_sees(
        &scanner,
        &[
            ("64 bytes of pixels", pixels[1000..1064].to_vec()),
            ("half the seed", SEED[16..].to_vec()),
            ("the seed in hexadecimal", hexadecimal(&SEED).into_bytes()),
        ],
    );
    visit.assert_nothing_left(&scanner);
    Ok(())
}

fn classify(page: &mut Chromium) -> Outcome<String> {
    page.evaluate("document.querySelector('#classify').click()")?;
    let ended = "document.querySelector('#answer').dataset.label || (document.querySelector('#failure').hidden ? '' : 'failed')";
    let label = page.wait_for(ended, WORK)?;
    let failure = page.evaluate("document.querySelector('#failure').textContent.trim()")?;
    assert_eq!(failure, "", "the page shows a failure");
    let shown = page.evaluate("document.querySelector('#label').innerText")?;
    let label = label.as_str().unwrap_or_default().to_owned();
    assert_eq!(shown, label.replace('_', " "));
    let bars = page.evaluate("document.querySelectorAll('#bars li').length")?;
    assert_eq!(bars, 5, "the page shows the five likeliest classes");
    Ok(label)
}

fn cancel(page: &mut Chromium) -> Outcome<()> {
    page.evaluate("document.querySelector('#classify').click()")?;
    page.wait_for(
        "document.querySelector('.step.server').dataset.state === 'running'",
        WORK,
    )?;
    page.evaluate("document.querySelector('#cancel').click()")?;
    page.wait_for(
        "document.querySelector('#status').innerText.startsWith('Cancelled')",
        SOON,
    )?;
    page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
    Ok(())
}

fn bad_pictures_are_refused(page: &mut Chromium, folder: &Path) -> Outcome<()> {
    let text = folder.join("notes.png");
    fs::write(&text, "this is no picture")?;
    // A header that announces forty megapixels: it must be refused before anything is decoded.
    let huge = folder.join("huge.png");
    let header = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
        &8000u32.to_be_bytes(),
        &5000u32.to_be_bytes(),
        b"\x08\x02\0\0\0",
    ]
    .concat();
    fs::write(&huge, header)?;
    for (file, sentence) in [
        (&text, "is not a PNG, JPEG or WebP"),
        (&huge, "8000 × 5000"),
    ] {
        page.pick_file("#file", file)?;
        page.wait_for(
            &format!("document.querySelector('#image-error').innerText.includes('{sentence}')"),
            SOON,
        )?;
        assert_eq!(
            page.evaluate("document.querySelector('#classify').disabled")?,
            true
        );
    }
    Ok(())
}

/// The picture at `sample`, with the lowest bits of every colour replaced by noise, written to `file`: no such bytes exist elsewhere.
fn recognisable(sample: &Path, file: &Path) -> Outcome<Vec<u8>> {
    let mut pixels = decode(&fs::read(sample)?)?.0.to_vec();
    let mut state = 20_261_120u32;
    for byte in &mut pixels {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = *byte & !7 | u8::try_from(state >> 29)?;
    }
    ::image::save_buffer(file, &pixels, 32, 32, ::image::ExtendedColorType::Rgb8)?;
    assert_eq!(
        decode(&fs::read(file)?)?.0.to_vec(),
        pixels,
        "the picture was not written as it is"
    );
    Ok(pixels)
}

fn decode(file: &[u8]) -> Outcome<Rgb32> {
    Ok(image::decode(file)?)
}

/// The clear model: what the page must say.
struct Reference {
    vit: Vit,
    labels: Vec<String>,
}

impl Reference {
    fn load() -> Outcome<Self> {
        let folder = workspace::root().join("models").join(MODEL);
        let vit = Vit::load(&folder)?;
        let labels = labels::load(&folder, &vit.config)?;
        Ok(Self { vit, labels })
    }

    fn label(&self, file: &[u8]) -> Outcome<String> {
        let patches = image::patches(&decode(file)?, &self.vit.config.preprocessing);
        let logits = self.vit.logits(&patches).to_vec();
        let (best, _) = *top_k(&logits, 1).first().ok_or("no classes")?;
        Ok(self.labels.get(best).ok_or("no label")?.clone())
    }
}

/// A folder that goes away with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Outcome<Self> {
        let folder =
            std::env::temp_dir().join(format!("cipherformer-browser-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
