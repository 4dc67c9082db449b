//! A person's visit in real Chromium, against the real server: two pictures are classified, one work is cancelled.
//!
//! A proxy records every byte that leaves the browser. Neither picture nor secret may be among them, in any form or in
//! part, and no other host may be asked for anything.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::proxy::{Proxy, Recorded};
use cipherformer_tests::scan::{Scanner, hexadecimal};
use cipherformer_tests::server::Server;
use cipherformer_tests::workspace;
use client::{Rgb32, Seed, Session};
use model::{Vit, image, labels, top_k};

type Outcome<T> = Result<T, Box<dyn Error>>;

const SAMPLE: &str = "sunflower";
/// The picture that the person's own file is made from.
const OTHER: &str = "mountain";
/// As long as the slowest machine may take for keys, upload and computation.
const WORK: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_secs(30);

/// A secret that no ciphertext holds by chance.
const SEED: [u8; 32] = *b"the seed that must stay at home!";

#[test]
fn a_picture_is_classified_and_nothing_of_it_leaves_the_browser() -> Outcome<()> {
    let reference = Reference::load()?;
    let folder = Scratch::new()?;
    let server = Server::start()?;
    let proxy = Proxy::start(server.address())?;
    let mut page = Chromium::start(proxy.address())?;
    let seed = format!("globalThis.cipherformerTestSeed = new Uint8Array({SEED:?});");
    page.open(&format!("http://{}/", server.address()), &seed)?;

    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    bad_pictures_are_refused(&mut page, &folder.0)?;

    let samples = workspace::root().join("web/samples");
    let sample = samples.join(format!("{SAMPLE}.png"));
    page.evaluate(&format!(
        "document.querySelector('#gallery input[value=\"{SAMPLE}.png\"]').click()"
    ))?;
    page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
    let before = proxy.recorded();
    assert!(
        before.iter().all(is_static),
        "requests before the button was pressed: {:#?}",
        lines(&before)
    );
    let began = Instant::now();
    let answer = classify(&mut page)?;
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
    let answer = classify(&mut page)?;
    println!(
        "second picture, same keys: {answer} after {:.1?}",
        began.elapsed()
    );
    assert_eq!(
        answer,
        reference.label(&fs::read(&own)?)?,
        "the page and the reference model disagree"
    );

    let memory = page.evaluate("Number(document.querySelector('#answer').dataset.memory)")?;
    let memory = memory
        .as_u64()
        .ok_or("the page does not say how much memory it took")?;
    cancel(&mut page)?;
    page.evaluate("document.querySelector('#forget').click()")?;
    let forgotten = |request: &Recorded| {
        request.line.starts_with("DELETE ") && request.line.contains("/v1/key-sets/")
    };
    let deadline = Instant::now() + SOON;
    while !proxy.recorded().iter().any(forgotten) {
        assert!(Instant::now() < deadline, "the keys were not deleted");
        std::thread::sleep(Duration::from_millis(50));
    }

    let recorded = proxy.recorded();
    let others: Vec<&str> = recorded
        .iter()
        .map(|request| request.host.as_str())
        .filter(|host| *host != server.address().to_string())
        .collect();
    assert!(others.is_empty(), "the page contacted {others:?}");
    the_keys_are_those_of_the_seed(&server, &recorded, memory)?;

    let mut scanner = Scanner::new();
    scanner.add_whole("the seed", &SEED);
    scanner.add_text_and_windows("the seed in part", &SEED, 16);
    for (name, file) in [("the sample", &sample), ("the picked file", &own)] {
        let bytes = fs::read(file)?;
        scanner.add_text_and_windows(&format!("{name}'s file"), &bytes, 64);
        scanner.add_text_and_windows(&format!("{name}'s pixels"), &decode(&bytes)?.0, 64);
    }
    the_scanner_finds_what_it_must(&scanner, &recorded, &pixels);
    for request in &recorded {
        let bytes = [&request.head[..], &request.body[..]].concat();
        assert_eq!(
            scanner.find(&bytes),
            Vec::<String>::new(),
            "in {}",
            request.line
        );
    }
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

// Without this, a page that ignored the injected seed would pass the scan for it.
fn the_keys_are_those_of_the_seed(
    server: &Server,
    recorded: &[Recorded],
    memory: u64,
) -> Outcome<()> {
    let id = Reference::model();
    let manifest = cipherformer_tests::http::get(server.address(), &format!("/v1/models/{id}"))?;
    let session = Session::from_json(&manifest, Seed::from_bytes(SEED))?;
    let name = &session
        .manifest()
        .keys
        .first()
        .ok_or("the model needs no keys")?
        .name;
    let part = format!("/keys/{name}/parts/");
    let sent: Vec<u8> = recorded
        .iter()
        .filter(|request| request.line.starts_with("PUT ") && request.line.contains(&part))
        .flat_map(|request| request.body.iter().copied())
        .collect();
    assert!(
        sent == session.key(0)?,
        "the key {name} that the browser sent is not the one that the seed makes"
    );
    assert!(
        memory < session.manifest().evaluation_key_bytes,
        "{memory} bytes of wasm memory: more than a key or two were alive"
    );
    let total: usize = recorded
        .iter()
        .filter(|request| request.line.starts_with("PUT "))
        .map(|request| request.body.len())
        .sum();
    assert_eq!(
        u64::try_from(total)?,
        session.manifest().evaluation_key_bytes,
        "keys were sent once, and recorded whole"
    );
    let queries: Vec<usize> = recorded
        .iter()
        .filter(|request| {
            request.line.starts_with("POST ") && request.line.contains("/v1/inferences")
        })
        .map(|request| request.body.len())
        .collect();
    assert_eq!(
        queries,
        [usize::try_from(session.manifest().query.bytes)?; 3],
        "three queries were recorded whole"
    );
    Ok(())
}

/// The scan is worth something only if it would notice: secrets are hidden in a real body, one after the other.
fn the_scanner_finds_what_it_must(scanner: &Scanner, recorded: &[Recorded], pixels: &[u8]) {
    let largest = recorded
        .iter()
        .map(|request| &request.body)
        .max_by_key(|body| body.len())
        .cloned()
        .unwrap_or_default();
    let hidden = [
        ("64 bytes of pixels", pixels[1000..1064].to_vec()),
        ("half the seed", SEED[16..].to_vec()),
        ("the seed in hexadecimal", hexadecimal(&SEED).into_bytes()),
    ];
    for (name, secret) in hidden {
        let mut body = largest.clone();
        let at = body.len() / 3;
        body.splice(at..at + secret.len(), secret);
        assert!(!scanner.find(&body).is_empty(), "{name} was not found");
    }
}

/// The page's own files, all of them read.
fn is_static(request: &Recorded) -> bool {
    request.line.starts_with("GET ") && !request.line.contains("/v1/") && request.body.is_empty()
}

fn lines(recorded: &[Recorded]) -> Vec<&str> {
    recorded
        .iter()
        .map(|request| request.line.as_str())
        .collect()
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
    fn model() -> &'static str {
        "cifar100-vit"
    }

    fn load() -> Outcome<Self> {
        let folder = workspace::root().join("models").join(Self::model());
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
