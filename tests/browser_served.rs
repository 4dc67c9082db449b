//! The page and its own files in real Chromium: what was changed on the way is not run, and the page says so; and the example for
//! other people's pages runs as it is written.

use std::fs;
use std::path::Path;

use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::proxy::Recorded;
use cipherformer_tests::server;
use cipherformer_tests::visit::{Outcome, SOON, Visit, WORK};
use cipherformer_tests::workspace;
use serde_json::json;

#[test]
fn files_that_were_changed_are_not_run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    copy(&server::page(), folder.path())?;
    let mut visit = Visit::start_serving(folder.path())?;
    works(&mut visit.page)?;
    waiting_can_be_cut_short(&mut visit.page)?;

    // A byte of the WebAssembly, and of the module that calls it: refused by the worker, before there are keys.
    for name in ["_bg.wasm", ".js"] {
        let path = format!("pkg/simd/cipherformer_wasm_client{name}");
        let recorded = reload_with_change(&mut visit, folder.path(), &path, |page| {
            refuses(page, &path)
        })?;
        assert!(!recorded.iter().any(asks_for_model), "{path}");
    }
    // A script of the worker: it is not even started.
    let path = "worker/visit.js";
    let recorded = reload_with_change(&mut visit, folder.path(), path, |page| refuses(page, path))?;
    let fetched = |name: &str| recorded.iter().any(|request| request.line.contains(name));
    assert!(fetched(path) && !fetched(".wasm") && !recorded.iter().any(asks_for_model));
    // A script of the page: the browser runs none, and what stands in the page says so.
    for path in ["app/panel.js", "app/main.js", "pkg/integrity.js"] {
        let recorded = reload_with_change(&mut visit, folder.path(), path, |page| {
            let notice =
                "getComputedStyle(document.querySelector('#unstarted')).visibility === 'visible'";
            page.wait_for(notice, SOON)?;
            Ok(())
        })?;
        assert!(!recorded.iter().any(asks_for_model), "{path}");
    }
    visit.page.reload()?;
    works(&mut visit.page)?;
    the_documented_example_classifies(&mut visit.page)?;
    a_browser_without_webassembly_is_told_what_it_lacks(&mut visit)
}

fn a_browser_without_webassembly_is_told_what_it_lacks(visit: &mut Visit) -> Outcome<()> {
    let address = format!("http://{}/", visit.server.address());
    visit.page.open(&address, "delete globalThis.WebAssembly")?;
    let failure = "document.querySelector('#failure')?.hidden === false && document.querySelector('#failure').textContent";
    let failure = visit.page.wait_for(failure, SOON)?;
    let failure = failure.as_str().unwrap_or_default();
    assert!(failure.contains("needs WebAssembly"), "{failure}");
    Ok(())
}

fn the_documented_example_classifies(page: &mut Chromium) -> Outcome<()> {
    let document = fs::read_to_string(workspace::root().join("docs/integrate.md"))?;
    let (_, example) = document.split_once("```js\n").ok_or("no example")?;
    let (example, _) = example.split_once("```").ok_or("no end of the example")?;
    page.evaluate(&format!(
        "void (async () => {{
            {example}
            const {{ crop, rgb }} = await import('/app/image.js');
            const file = await (await fetch('/samples/sunflower.png')).blob();
            const [{{ label }}] = await classify(rgb(await crop(file)));
            globalThis.example = label;
        }})().catch((error) => {{ globalThis.example = String(error); }})"
    ))?;
    assert_eq!(page.wait_for("globalThis.example", WORK)?, "sunflower");
    Ok(())
}

/// Changes a file, loads the page anew, looks at it, and changes the file back; returns the requests of that time.
fn reload_with_change(
    visit: &mut Visit,
    folder: &Path,
    path: &str,
    look: impl FnOnce(&mut Chromium) -> Outcome<()>,
) -> Outcome<Vec<Recorded>> {
    let file = folder.join(path);
    let sound = fs::read(&file)?;
    let mut changed = sound.clone();
    // Still a sound module: a space more in a script, another name in the last section of the WebAssembly.
    match path.ends_with(".js") {
        true => changed.push(b' '),
        false => *changed.last_mut().ok_or("an empty file")? ^= 1,
    }
    fs::write(&file, &changed)?;
    let before = visit.proxy.recorded().len();
    visit.page.reload()?;
    look(&mut visit.page)?;
    fs::write(&file, &sound)?;
    Ok(visit.proxy.recorded().split_off(before))
}

/// The model has been asked for, so the worker runs.
fn works(page: &mut Chromium) -> Outcome<()> {
    let keys = "document.querySelector('#classify-panel .keys')?.dataset.missing > 0";
    page.wait_for(keys, SOON)?;
    let gone = page.evaluate("document.querySelector('#unstarted') === null")?;
    assert_eq!(gone, json!(true));
    Ok(())
}

fn refuses(page: &mut Chromium, path: &str) -> Outcome<()> {
    let failure = "document.querySelector('#failure')?.hidden !== false ? '' : document.querySelector('#failure').textContent";
    let failure = page.wait_for(failure, SOON)?;
    let failure = failure.as_str().unwrap_or_default();
    assert!(
        failure.contains("not the one that it was built with") && failure.contains(path),
        "{failure}"
    );
    let disabled = page.evaluate("document.querySelector('#classify').disabled")?;
    assert_eq!(disabled, json!(true));
    Ok(())
}

fn asks_for_model(request: &Recorded) -> bool {
    request.line.contains("/v1/")
}

/// A wait ends at once with an abort, whether that came before or comes meanwhile, and leaves nothing on the signal.
fn waiting_can_be_cut_short(page: &mut Chromium) -> Outcome<()> {
    let told = page.evaluate(
        "(async () => {
            const { pause } = await import('/worker/pause.js');
            const ended = (promise) => promise.then(() => 'waited', (reason) => reason);
            const long = 1e8;
            const before = await ended(pause(long, AbortSignal.abort('before')));
            const meanwhile = new AbortController();
            const cut = ended(pause(long, meanwhile.signal));
            meanwhile.abort('meanwhile');
            const signal = new AbortController().signal;
            const left = new Set();
            signal.addEventListener = (type, listener) => left.add(listener);
            signal.removeEventListener = (type, listener) => left.delete(listener);
            const waits = pause(1, signal);
            const listening = left.size;
            return [before, await cut, listening, await ended(waits), left.size, await ended(pause(1))];
        })()",
    )?;
    assert_eq!(
        told,
        json!(["before", "meanwhile", 1, "waited", 0, "waited"])
    );
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
