//! The client's cryptography in WebAssembly, in real Chromium: the kernels' conformance suite and the known answers, bit for bit, in
//! the build with 128-bit vectors and in the one without.

use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::workspace;
use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[test]
fn both_builds_conform_and_give_the_known_answers() -> Outcome<()> {
    let known = fs::read_to_string(workspace::root().join("tests/vectors/known-answers.txt"))?;
    // Nobody listens there: the page needs nothing from outside.
    let mut page = Chromium::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)))?;
    for (build, simd128) in [("simd", true), ("scalar", false)] {
        load(&mut page, build)?;
        assert_eq!(page.evaluate("module.simd128()")?, simd128);
        let checks = page.evaluate("module.checks()")?;
        let checks = checks.as_array().ok_or("no list of checks")?;
        assert_eq!(checks.len(), ring_checks());
        for (index, name) in checks.iter().enumerate() {
            page.evaluate(&format!("module.check({index})"))
                .map_err(|error| format!("{name} fails in the {build} build: {error}"))?;
        }
        let mut answers = String::new();
        for set in vectors::SETS {
            let lines = page.evaluate(&format!("module.known_answers({set:?})"))?;
            answers += lines.as_str().ok_or("no answers")?;
        }
        for (found, known) in answers.lines().zip(known.lines()) {
            assert_eq!(found, known, "in the {build} build");
        }
        assert_eq!(answers.lines().count(), known.lines().count());
    }
    Ok(())
}

/// As many checks as a native build has: none was lost on the way.
fn ring_checks() -> usize {
    vectors::checks().len()
}

/// Leaves the build's module in the global `module`.
fn load(page: &mut Chromium, build: &str) -> Outcome<()> {
    let folder = workspace::root().join(format!("target/wasm-vectors/{build}/pkg"));
    let missing = |_| format!("{} is missing: run tools/wasm-vectors.sh", folder.display());
    let script = fs::read_to_string(folder.join("vectors.js")).map_err(missing)?;
    let wasm = fs::read(folder.join("vectors_bg.wasm")).map_err(missing)?;
    let script = serde_json::to_string(&script)?;
    page.evaluate(&format!(
        "(async () => {{
            const script = new Blob([{script}], {{ type: 'text/javascript' }});
            globalThis.module = await import(URL.createObjectURL(script));
            await module.default({{ module_or_path: new Uint8Array({wasm:?}) }});
        }})()"
    ))?;
    Ok(())
}
