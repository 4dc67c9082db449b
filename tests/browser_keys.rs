//! Keys over several visits in real Chromium: an upload that was cut short goes on, a later visit sends none, Forget me leaves
//! nothing, and a browser that lacks most things still works.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::http;
use cipherformer_tests::proxy::Recorded;
use cipherformer_tests::visit::{
    MEMORY, Outcome, SOON, Visit, WORK, is_query, key_of, lines, scanner_for_seed,
};
use serde_json::{Value, json};

const KEYS: &str = "document.querySelector('#classify-panel .keys')";

/// One server and one browser at a time.
static MACHINE: Mutex<()> = Mutex::new(());

#[test]
fn keys_are_sent_once_and_forgotten_on_request() -> Outcome<()> {
    let _machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut visit = Visit::start("")?;
    ready(&mut visit.page)?;
    assert_eq!(missing(&mut visit.page)?, count(&visit)?);
    press_button_with_keys(&mut visit.page)?;
    some_keys_are_sent(&visit, count(&visit)?)?;
    visit.page.reload()?;

    // Cut short by a reload: what is there stays there, the rest follows.
    ready(&mut visit.page)?;
    let lacking = missing(&mut visit.page)?;
    assert!(
        0 < lacking && lacking < count(&visit)?,
        "{lacking} are missing"
    );
    let before = visit.proxy.recorded().len();
    visit
        .page
        .evaluate("document.querySelector('#classify').click()")?;
    let computing = "document.querySelector('.step.server').dataset.state === 'running'";
    visit.page.wait_for(computing, WORK)?;
    visit
        .page
        .evaluate("document.querySelector('#cancel').click()")?;
    visit.page.wait_for(
        "document.querySelector('#status').innerText.startsWith('Cancelled')",
        SOON,
    )?;
    let recorded = visit.proxy.recorded();
    let sent = keys_sent(&recorded[before..]);
    println!("{lacking} keys were missing after the reload: {sent:?}");
    assert_eq!(sent.len(), lacking);
    let sets: Vec<&Recorded> = recorded
        .iter()
        .filter(|request| creates_set(request))
        .collect();
    assert_eq!(sets.len(), 1, "one key set for both visits");
    let fingerprint = visit
        .page
        .evaluate(&format!("{KEYS}.dataset.fingerprint"))?;
    assert_eq!(
        fingerprint,
        json!(
            visit
                .session("cifar100-vit")?
                .fingerprint(&visit.session("cifar100-vit")?.key(0)?)
        )
    );

    // A later visit.
    visit.page.reload()?;
    ready(&mut visit.page)?;
    assert_eq!(missing(&mut visit.page)?, 0);
    assert_eq!(
        visit
            .page
            .evaluate(&format!("{KEYS}.dataset.fingerprint"))?,
        fingerprint
    );
    let before = visit.proxy.recorded().len();
    visit
        .page
        .evaluate("document.querySelector('#classify').click()")?;
    answer(&mut visit.page)?;
    let recorded = visit.proxy.recorded();
    assert!(
        keys_sent(&recorded[before..]).is_empty(),
        "{:#?}",
        lines(&recorded[before..])
    );
    nothing_readable_is_kept(&mut visit.page)?;

    let set = key_set(&recorded).ok_or("no key set was used")?;
    http::get(visit.server.address(), &set)?;
    visit
        .page
        .evaluate(&format!("{KEYS}.querySelector('.forget').click()"))?;
    let note = format!("{KEYS}.querySelector('.keys-note').textContent");
    let note = visit.page.wait_for(&note, SOON)?;
    let note = note.as_str().unwrap_or_default();
    assert!(
        note.contains("wiped from this browser") && note.contains("server confirmed"),
        "{note}"
    );
    assert_eq!(
        visit
            .page
            .evaluate("indexedDB.databases().then((all) => all.length)")?,
        0
    );
    let gone = http::get(visit.server.address(), &set).expect_err("the set is still there");
    assert!(gone.to_string().contains("404"), "{gone}");
    visit.assert_nothing_left(&scanner_for_seed());
    Ok(())
}

#[test]
fn a_server_that_is_killed_during_the_upload_and_the_computation_costs_only_time() -> Outcome<()> {
    let _machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut visit = Visit::start("")?;
    ready(&mut visit.page)?;
    visit
        .page
        .evaluate("document.querySelector('#classify').click()")?;
    let all = count(&visit)?;
    some_keys_are_sent(&visit, all)?;
    visit.server.kill_and_restart()?;
    let lacking = lacking_on_server(&visit)?.ok_or("the set is gone")?;
    assert!(0 < lacking && lacking < all, "{lacking} are missing");

    let computing = "document.querySelector('.step.server').dataset.state === 'running'";
    visit.page.wait_for(computing, WORK)?;
    let inferences = |visit: &Visit| {
        let recorded = visit.proxy.recorded();
        recorded.iter().filter(|request| is_query(request)).count()
    };
    let asked = inferences(&visit);
    visit.server.kill_and_restart()?;
    answer(&mut visit.page)?;
    assert_eq!(inferences(&visit), asked + 1, "the question was sent again");

    let recorded = visit.proxy.recorded();
    let sets = recorded.iter().filter(|request| creates_set(request));
    assert_eq!(sets.count(), 1, "the finished keys served on");
    assert_eq!(lacking_on_server(&visit)?, Some(0));
    visit.assert_nothing_left(&scanner_for_seed());
    Ok(())
}

#[test]
fn a_browser_without_vectors_storage_and_cores_works_too() -> Outcome<()> {
    let _machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    // The first makes WebAssembly.validate refuse 128-bit vectors, as browsers without them do.
    let flags = ["--js-flags=--no-enable-sse4-1"];
    let script = "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 }); \
         IDBFactory.prototype.open = () => { throw new DOMException('not here', 'SecurityError'); }; \
         Object.defineProperty(navigator, 'connection', { value: { saveData: true } }); \
         globalThis.confirm = (question) => { globalThis.asked = question; return globalThis.willing; };";
    let mut visit = Visit::start_in("", &flags, script)?;
    ready(&mut visit.page)?;
    let lacks = visit
        .page
        .evaluate("document.querySelector('#lacks').innerText")?;
    for sentence in ["no 128-bit vectors", "One worker", "cannot be kept"] {
        assert!(
            lacks.as_str().unwrap_or_default().contains(sentence),
            "{lacks}"
        );
    }
    // The connection costs: the person is asked, and nothing is made or sent for whoever declines.
    let press = "document.querySelector('#classify').click()";
    let before = visit.proxy.recorded().len();
    visit.page.evaluate(press)?;
    let asked = visit.page.evaluate("globalThis.asked")?;
    assert!(
        asked.as_str().unwrap_or_default().contains("metered"),
        "{asked}"
    );
    let stopped = visit
        .page
        .evaluate("document.querySelector('#cancel').hidden")?;
    assert_eq!(stopped, json!(true), "it works all the same");
    assert_eq!(visit.proxy.recorded().len(), before);
    visit.page.evaluate("globalThis.willing = true")?;
    visit.page.evaluate(press)?;
    answer(&mut visit.page)?;
    let memory = visit.memory("#answer")?;
    assert!(memory <= MEMORY, "{memory} bytes of wasm memory");
    let recorded = visit.proxy.recorded();
    let fetched = |part: &str| lines(&recorded).iter().any(|line| line.contains(part));
    assert!(fetched("/pkg/scalar/cipherformer_wasm_client_bg.wasm") && !fetched("/pkg/simd/"));
    let numbers = "document.querySelector('#classify-panel .numbers').textContent";
    let numbers = visit.page.evaluate(numbers)?;
    assert!(
        numbers.as_str().unwrap_or_default().contains("one worker"),
        "a second worker on one core: {numbers}"
    );
    let note = visit.page.evaluate(&format!("{KEYS}.innerText"))?;
    assert!(
        note.as_str()
            .unwrap_or_default()
            .contains("until you close it"),
        "{note}"
    );
    visit.assert_recorded("cifar100-vit", 1)?;
    seeds_are_wiped(&mut visit.page)?;

    // Nothing was kept.
    visit.page.reload()?;
    ready(&mut visit.page)?;
    assert_eq!(missing(&mut visit.page)?, count(&visit)?);
    Ok(())
}

/// The samples are there, the first is chosen, and the server has said which keys it has.
fn ready(page: &mut Chromium) -> Outcome<()> {
    page.wait_for("document.querySelectorAll('.sample').length >= 8", SOON)?;
    page.evaluate("document.querySelector('#gallery input').click()")?;
    page.wait_for(
        &format!(
            "!document.querySelector('#classify').disabled && {KEYS}.dataset.missing !== undefined"
        ),
        SOON,
    )?;
    Ok(())
}

/// Waits until two of `all` keys are on the server.
fn some_keys_are_sent(visit: &Visit, all: usize) -> Outcome<()> {
    let deadline = Instant::now() + WORK;
    while lacking_on_server(visit)?.is_none_or(|lacking| lacking > all - 2) {
        assert!(Instant::now() < deadline, "no keys were sent");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// As a person without a mouse does: from the gallery, whose picture is chosen, on to the button.
fn press_button_with_keys(page: &mut Chromium) -> Outcome<()> {
    page.evaluate("document.querySelector('#gallery input:checked').focus()")?;
    page.press("ArrowRight")?;
    page.wait_for(
        "document.querySelectorAll('#gallery input')[1].checked",
        SOON,
    )?;
    page.wait_for("!document.querySelector('#classify').disabled", SOON)?;
    for _ in 0..4 {
        page.press("Tab")?;
        if page.evaluate("document.activeElement.id")? == "classify" {
            page.press("Enter")?;
            page.wait_for("document.activeElement.id === 'cancel'", SOON)?;
            return Ok(());
        }
    }
    Err("the button was not reached".into())
}

fn answer(page: &mut Chromium) -> Outcome<()> {
    let ended = "document.querySelector('#answer').dataset.label || (document.querySelector('#failure').hidden ? '' : 'failed')";
    page.wait_for(ended, WORK)?;
    let failure = page.evaluate("document.querySelector('#failure').textContent.trim()")?;
    assert_eq!(failure, "", "the page shows a failure");
    Ok(())
}

/// The seed lies there sealed, by a key that JavaScript cannot read.
fn nothing_readable_is_kept(page: &mut Chromium) -> Outcome<()> {
    let kept = page.evaluate(
        "(async () => {
            const request = indexedDB.open('cipherformer');
            const database = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
            const table = database.transaction('kept').objectStore('kept');
            const all = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
            const [names, values] = await Promise.all([all(table.getAllKeys()), all(table.getAll())]);
            database.close();
            return names.map((name, index) => {
                const value = values[index];
                return value instanceof CryptoKey ? [name, value.extractable] : [name, value.seed.bytes.byteLength];
            });
        })()",
    )?;
    // A seed of 32 bytes with AES-GCM's tag of 16.
    assert_eq!(
        kept,
        json!([["model cifar100-vit", 48], ["wrapping key", false]])
    );
    Ok(())
}

/// Whoever takes a seed leaves none in the array that it came in.
fn seeds_are_wiped(page: &mut Chromium) -> Outcome<()> {
    let wiped = page.evaluate(
        "(async () => {
            const module = await import('/pkg/scalar/cipherformer_wasm_client.js');
            await module.default({ module_or_path: '/pkg/scalar/cipherformer_wasm_client_bg.wasm' });
            const manifest = await (await fetch('/v1/models/cifar100-vit')).text();
            const [sound, short] = [new Uint8Array(32).fill(7), new Uint8Array(31).fill(7)];
            new module.Session(manifest, sound).free();
            let refused = false;
            try { new module.Session(manifest, short); } catch { refused = true; }
            return [sound.every((byte) => byte === 0), short.every((byte) => byte === 0), refused];
        })()",
    )?;
    assert_eq!(wiped, json!([true, true, true]));
    Ok(())
}

fn missing(page: &mut Chromium) -> Outcome<usize> {
    let missing = page.evaluate(&format!("Number({KEYS}.dataset.missing)"))?;
    Ok(usize::try_from(
        missing.as_u64().ok_or("no number of keys")?,
    )?)
}

fn count(visit: &Visit) -> Outcome<usize> {
    Ok(visit.session("cifar100-vit")?.manifest().keys.len())
}

fn keys_sent(recorded: &[Recorded]) -> BTreeSet<String> {
    recorded
        .iter()
        .filter_map(key_of)
        .map(str::to_owned)
        .collect()
}

fn creates_set(request: &Recorded) -> bool {
    request.line.starts_with("POST ") && request.line.contains("/v1/key-sets")
}

/// How many keys of the page's set the server lacks, once there is a set.
fn lacking_on_server(visit: &Visit) -> Outcome<Option<usize>> {
    let Some(set) = key_set(&visit.proxy.recorded()) else {
        return Ok(None);
    };
    let status: Value = serde_json::from_slice(&http::get(visit.server.address(), &set)?)?;
    Ok(status["missing"].as_array().map(Vec::len))
}

/// The path of the key set that keys were sent to.
fn key_set(recorded: &[Recorded]) -> Option<String> {
    let part = recorded.iter().find(|request| key_of(request).is_some())?;
    let (_, path) = part.line.split_once("/v1/key-sets/")?;
    Some(format!("/v1/key-sets/{}", path.split('/').next()?))
}
