//! A person's visit in real Chromium, against the real server: two pictures are classified, one work is cancelled.
//!
//! A proxy records every byte that leaves the browser. Neither picture nor secret may be among them, in any form or in
//! part, and no other host may be asked for anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cipherformer_tests::axe::assert_accessible;
use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::scan::hexadecimal;
use cipherformer_tests::visit::{
    MEMORY, Outcome, SEED, SOON, Visit, WORK, is_read, lines, scanner_for_seed,
};
use cipherformer_tests::workspace;
use client::Rgb32;
use model::{Vit, image, labels, top_k, vit};

const MODEL: &str = "cifar100-vit";
/// Six blocks, bootstrapped.
const DEEP: &str = "cifar100-vit-deep";
/// What a worker's WebAssembly may take while it makes the keys of bootstrapping; two workers make them.
const DEEP_MEMORY: u64 = 2 * (512 << 20);
const SAMPLE: &str = "sunflower";
/// The picture that the person's own file is made from.
const OTHER: &str = "mountain";

#[test]
fn a_picture_is_classified_and_nothing_of_it_leaves_the_browser() -> Outcome<()> {
    let reference = Reference::load(MODEL)?;
    let folder = Scratch::new()?;
    let mut visit = Visit::start("")?;
    let page = &mut visit.page;

    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    assert_accessible(page, "at first")?;
    colours_can_be_chosen(page)?;
    another_model_can_be_chosen(page)?;
    bad_pictures_are_refused(page, &folder.0)?;
    pictures_are_dropped_and_pasted(page)?;

    let samples = workspace::root().join("web/samples");
    let sample = samples.join(format!("{SAMPLE}.png"));
    page.evaluate(&format!(
        "document.querySelector('#gallery input[value=\"{SAMPLE}.png\"]').click()"
    ))?;
    page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
    page.wait_for(
        "document.querySelector('#classify-panel .keys').dataset.missing > 0",
        SOON,
    )?;
    let before = visit.proxy.recorded();
    assert!(
        before.iter().all(is_read),
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
    assert!(memory <= MEMORY, "{memory} bytes of wasm memory");
    the_answer_is_doubted(&mut visit)?;
    assert_accessible(&mut visit.page, "with an answer")?;
    cancel(&mut visit.page)?;

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
    let Visit { page, server, .. } = visit;
    drop(server);
    without_the_server(page)
}

#[test]
#[ignore = "some minutes, and 6 GiB: run by `just test-long`"]
fn the_deep_model_classifies_a_picture() -> Outcome<()> {
    let reference = Reference::load(DEEP)?;
    let mut visit = Visit::start(&format!("?model={DEEP}"))?;
    let page = &mut visit.page;
    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    page.evaluate(&format!(
        "document.querySelector('#gallery input[value=\"{SAMPLE}.png\"]').click()"
    ))?;
    page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
    let began = Instant::now();
    let answer = classify(page)?;
    println!("{DEEP}: {answer} after {:.1?}", began.elapsed());
    let sample = workspace::root().join(format!("web/samples/{SAMPLE}.png"));
    assert_eq!(answer, reference.label(&fs::read(sample)?)?);
    verify(page)?;
    let memory = visit.memory("#answer")?;
    println!("{} MB of wasm memory", memory / 1_000_000);
    assert!(memory <= DEEP_MEMORY, "{memory} bytes of wasm memory");
    visit.assert_recorded(DEEP, 1)
}

/// The switch changes what the system chose, and pressed again leaves the choice to the system.
fn colours_can_be_chosen(page: &mut Chromium) -> Outcome<()> {
    let paper = "getComputedStyle(document.body).backgroundColor";
    let kept = "localStorage.getItem('scheme')";
    let press = "document.querySelector('#scheme').click()";
    let ready = "!document.querySelector('#scheme').hidden";
    // The system's choice was another one a moment ago.
    page.wait_for(
        "document.querySelector('#scheme').dataset.other === 'dark'",
        SOON,
    )?;
    let light = page.evaluate(paper)?;
    // A style sheet that did not apply so far may still have to come.
    let (is_light, is_dark) = (
        format!("{paper} === {light}"),
        format!("{paper} !== {light}"),
    );
    page.evaluate(press)?;
    page.wait_for(&is_dark, SOON)?;
    assert_eq!(page.evaluate(kept)?, "dark");
    page.reload()?;
    page.wait_for(ready, SOON)?;
    page.wait_for(&is_dark, SOON)?;
    page.evaluate(press)?;
    page.wait_for(&is_light, SOON)?;
    assert!(page.evaluate(kept)?.is_null());
    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    Ok(())
}

/// The clear model needs no server any more; what only the server could delete is said to be there.
fn without_the_server(mut page: Chromium) -> Outcome<()> {
    verify(&mut page)?;
    page.evaluate("document.querySelector('#classify-panel .forget').click()")?;
    let note = "document.querySelector('#classify-panel .keys-note').textContent";
    let note = page.wait_for(note, SOON)?;
    let note = note.as_str().unwrap_or_default();
    assert!(
        note.contains("wiped from this browser") && note.contains("did not confirm"),
        "{note}"
    );
    assert_eq!(
        page.evaluate("indexedDB.databases().then((all) => all.length)")?,
        0
    );
    Ok(())
}

/// The clear model agrees, a wrong key reads something else, and neither says anything to the server.
fn the_answer_is_doubted(visit: &mut Visit) -> Outcome<()> {
    let page = &mut visit.page;
    let before = visit.proxy.recorded().len();
    page.evaluate("document.querySelector('#answer .stranger').click()")?;
    page.wait_for(
        "!document.querySelector('#answer .stranger-result').hidden",
        SOON,
    )?;
    let differ = "document.querySelector('#answer .stranger-result').dataset.top.split(' ').join() !== \
         [...document.querySelectorAll('#bars li > span:first-child')].map((name) => name.textContent.replaceAll(' ', '_')).join()";
    assert_eq!(page.evaluate(differ)?, true, "a wrong key reads the answer");
    assert_eq!(visit.proxy.recorded().len(), before);

    verify(page)?;
    let loaded = visit.proxy.recorded();
    assert!(
        loaded[before..].iter().all(is_read),
        "{:#?}",
        lines(&loaded[before..])
    );
    let bits =
        page.evaluate("Number(document.querySelector('#answer .verify-result').dataset.bits)")?;
    println!("verified: {bits} bits");
    assert!(
        bits.as_f64().unwrap_or(0.0) > 6.0,
        "{bits} bits of precision"
    );
    let same = page.evaluate("document.querySelector('#answer .verify-result').dataset.same")?;
    assert_eq!(same, "true");
    verify(page)?;
    assert_eq!(
        visit.proxy.recorded().len(),
        loaded.len(),
        "once loaded, the clear model needs no server"
    );
    Ok(())
}

fn verify(page: &mut Chromium) -> Outcome<()> {
    page.evaluate("document.querySelector('#answer .verify-result').hidden = true")?;
    page.evaluate("document.querySelector('#answer .verify').click()")?;
    page.wait_for(
        "!document.querySelector('#answer .verify-result').hidden || !document.querySelector('#failure').hidden",
        SOON,
    )?;
    let failure = page.evaluate("document.querySelector('#failure').textContent.trim()")?;
    assert_eq!(failure, "", "the page shows a failure");
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

/// A link to the deep model, and from there back again.
fn another_model_can_be_chosen(page: &mut Chromium) -> Outcome<()> {
    let line = "document.querySelector('#classify-panel .others')";
    for (here, there) in [(MODEL, Some(DEEP)), (DEEP, Some(MODEL)), (MODEL, None)] {
        let answers = format!("{line}?.textContent.startsWith('Model: {here}. ')");
        page.wait_for(&answers, SOON)?;
        if let Some(there) = there {
            let offered = page.evaluate(&format!("{line}.querySelector('a').textContent"))?;
            assert_eq!(offered, there);
            let share = 100.0 * accuracy(there)?;
            let said = format!("{line}.textContent.includes(' (right {share:.1}')");
            let right = page.evaluate(&said)?;
            assert_eq!(right, true, "how often {there} is right is not said");
            page.evaluate(&format!("{line}.querySelector('a').click()"))?;
        }
    }
    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    Ok(())
}

/// Top-1 of a model in the clear, as its configuration says.
fn accuracy(model: &str) -> Outcome<f64> {
    let path = workspace::root().join(format!("models/{model}/config.json"));
    let config = vit::Config::from_json(&fs::read(path)?)?;
    Ok(config.accuracy.top1)
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

/// A picture that is dropped anywhere on the page or pasted is the one that is looked at.
fn pictures_are_dropped_and_pasted(page: &mut Chromium) -> Outcome<()> {
    for (event, carrier, name) in [
        ("DragEvent('drop'", "dataTransfer", "lion.png"),
        ("ClipboardEvent('paste'", "clipboardData", "clock.png"),
    ] {
        page.evaluate(&format!(
            "(async () => {{
                const file = new File([await (await fetch('/samples/{name}')).blob()], '{name}', {{ type: 'image/png' }});
                const data = new DataTransfer();
                data.items.add(file);
                document.querySelector('h1').dispatchEvent(new {event}, {{ {carrier}: data, bubbles: true, cancelable: true }}));
            }})()"
        ))?;
        let shown = "document.querySelector('#classify-panel .plain').getAttribute('aria-label')";
        page.wait_for(&format!("{shown}.endsWith('{name}')"), SOON)?;
        page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
        assert_eq!(
            page.evaluate("document.querySelector('#gallery input:checked')")?,
            serde_json::Value::Null,
            "a sample is still chosen"
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
    fn load(model: &str) -> Outcome<Self> {
        let folder = workspace::root().join("models").join(model);
        let vit = Vit::load(&folder)?;
        let labels = labels::load(&folder, &vit.config)?;
        Ok(Self { vit, labels })
    }

    fn label(&self, file: &[u8]) -> Outcome<String> {
        let patches = self.vit.patches(&decode(file)?);
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
