//! The page's files and the headers that go with them.

mod common;

use std::fs;

use common::Site;
use native_server::Settings;
use protocol::problem::ProblemKind;

#[test]
fn files_come_with_strict_headers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<p>page</p>").unwrap();
    fs::write(folder.path().join("app.js"), "1").unwrap();
    fs::write(folder.path().join("client.wasm"), b"\0asm").unwrap();
    fs::write(folder.path().join(".hidden"), "no").unwrap();
    let site = Site::start(Settings {
        web: Some(folder.path().to_owned()),
        ..Settings::default()
    });

    let page = site.get("/");
    assert_eq!((page.status, &page.body[..]), (200, &b"<p>page</p>"[..]));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"));
    for part in [
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "connect-src 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(page.headers["cross-origin-opener-policy"], "same-origin");
    assert_eq!(page.headers["cross-origin-resource-policy"], "same-origin");

    assert_eq!(
        site.get("/client.wasm").headers["content-type"],
        "application/wasm"
    );
    let script = site.get("/app.js");
    assert!(
        script.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/javascript")
    );
    for path in [
        "/missing.js",
        "/.hidden",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
    ] {
        let answer = site.get(path);
        assert!(
            matches!(answer.status, 400 | 404),
            "{path} {}",
            answer.status
        );
        assert!(
            answer.headers.contains_key("content-security-policy"),
            "{path}"
        );
    }
    site.get("/missing.js").is(ProblemKind::NotFound);
    site.send("POST", "/app.js", "text/plain", b"x")
        .is(ProblemKind::NotFound);
    assert_eq!(site.get("/v1/models").status, 200);
    let errors = site.get("/docs/common-errors");
    assert!(
        String::from_utf8(errors.body)
            .unwrap()
            .contains("### missing-keys")
    );
}
