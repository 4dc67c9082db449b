//! The binary as a person meets it: what it prints, its exit codes, and one line for every failure.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

use client::model::{Vit, image, labels, top_k};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cipherformer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cipherformer"))
        .current_dir(root())
        .env(
            "XDG_DATA_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/nothing-kept"),
        )
        .env_remove("CIPHERFORMER_SERVER")
        .args(arguments)
        .output()
        .unwrap()
}

/// Checks that the command failed for a reason here, with one line that contains `expected`.
#[track_caller]
fn fails(arguments: &[&str], expected: &str) {
    fails_with(1, arguments, expected);
}

#[track_caller]
fn fails_with(code: i32, arguments: &[&str], expected: &str) {
    let output = cipherformer(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("cipherformer: "), "{text}");
    assert!(text.contains(expected), "{text}");
    assert!(!text.trim_end().chars().any(char::is_control), "{text:?}");
}

/// Address at which nothing listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A server that gives the same answer to whatever comes first.
fn server(answer: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.to_owned();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    address
}

fn json(status: &str, media: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn sample(name: &str) -> PathBuf {
    root().join("web/samples").join(name)
}

/// Three samples in folders of their classes.
fn labelled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["apple", "bicycle", "tiger"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::copy(
            sample(&format!("{name}.png")),
            folder.path().join(name).join("1.png"),
        )
        .unwrap();
    }
    folder
}

const MODEL: &str = "cifar100-vit";

#[test]
fn evaluation_in_the_clear_is_that_of_the_model() {
    let folder = labelled();
    let images = folder.path().to_str().unwrap();
    let model = root().join("models").join(MODEL);
    let vit = Vit::load(&model).unwrap();
    let names = labels::load(&model, &vit.config).unwrap();
    let (mut top1, mut top5) = (0, 0);
    for name in ["apple", "bicycle", "tiger"] {
        let bytes = fs::read(sample(&format!("{name}.png"))).unwrap();
        let patches = vit.patches(&image::decode(&bytes).unwrap());
        let best = top_k(&vit.logits(&patches).to_vec(), 5);
        let class = names.iter().position(|label| label == name).unwrap();
        top1 += usize::from(best[0].0 == class);
        top5 += usize::from(best.iter().any(|&(found, _)| found == class));
    }
    for model in [MODEL, model.to_str().unwrap()] {
        let output = cipherformer(&["evaluate", "--model", model, "--images", images]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1);
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["n"], 3);
        assert_eq!(
            report["top1"].as_f64().unwrap(),
            f64::from(top1 as u32) / 3.0
        );
        assert_eq!(
            report["top5"].as_f64().unwrap(),
            f64::from(top5 as u32) / 3.0
        );
        assert_eq!(report.as_object().unwrap().len(), 3);
    }
    let output = cipherformer(&[
        "evaluate", "--model", MODEL, "--images", images, "--limit", "2",
    ]);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("\"n\":2")
    );
}

#[test]
fn folders_that_are_not_labelled_images() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let evaluate = |path: &str, expected: &str| {
        fails(&["evaluate", "--model", MODEL, "--images", path], expected);
    };
    evaluate("/nowhere/at/all", "/nowhere/at/all");
    evaluate(path, "no image");
    fs::create_dir(folder.path().join("apple")).unwrap();
    evaluate(path, "no image");
    fs::write(folder.path().join("apple/1.png"), "no image at all").unwrap();
    evaluate(path, "1.png: the file is not a PNG");
    fs::create_dir(folder.path().join("pear tree")).unwrap();
    evaluate(path, "\"pear tree\", which is no class");
    fails(
        &["evaluate", "--model", "no-such-model", "--images", path],
        "no model",
    );
}

#[test]
fn images_that_cannot_be_classified() {
    let folder = tempfile::tempdir().unwrap();
    let server = nobody();
    let classify = |name: &str, bytes: &[u8], expected: &str| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fails(
            &["classify", path.to_str().unwrap(), "--server", &server],
            expected,
        );
    };
    classify("text.png", b"hello", "not a PNG");
    classify("empty.png", b"", "not a PNG");
    classify("long.png", &vec![0; (16 << 20) + 1], "more than");
    let sound = fs::read(sample("apple.png")).unwrap();
    classify("cut.png", &sound[..sound.len() / 2], "cut.png");
    let mut huge = sound;
    huge[16..20].copy_from_slice(&8000u32.to_be_bytes());
    huge[20..24].copy_from_slice(&5000u32.to_be_bytes());
    classify("huge.png", &huge, "huge.png");
    fails(
        &["classify", "/nowhere.png", "--server", &server],
        "/nowhere.png",
    );
}

#[test]
fn servers_that_do_not_answer_or_answer_nonsense() {
    let image = sample("apple.png");
    let image = image.to_str().unwrap();
    let classify = |code, server: &str, expected: &str| {
        fails_with(code, &["classify", image, "--server", server], expected);
    };
    classify(3, &nobody(), "./dev serve");
    classify(1, "not an address", "address");
    classify(3, &server("nonsense\r\n\r\n"), "no answer from");
    classify(
        6,
        &server(&json("200 OK", "application/json", "[1]")),
        "makes no sense",
    );
    classify(
        4,
        &server(&json("200 OK", "application/json", "{\"models\":[]}")),
        "no model",
    );
    let other = r#"{"models":[{"id":"x","task":"complete","parameters":"","evaluation_key_bytes":1,"expected_seconds":1}]}"#;
    classify(
        4,
        &server(&json("200 OK", "application/json", other)),
        "no model on the server that classifies images",
    );
    classify(4, &server(&json("302 Found", "text/html", "")), "302");
    let problem = r#"{"type":"/docs/common-errors#internal","title":"a\u001b[2J\ntitle","status":500,"detail":"d\r\n","hint":"h"}"#;
    classify(
        4,
        &server(&json("500 Oops", "application/problem+json", problem)),
        "title: d",
    );
    let folder = labelled();
    let images = folder.path().to_str().unwrap();
    let arguments = [
        "evaluate",
        "--model",
        MODEL,
        "--images",
        images,
        "--encrypted",
        "--server",
        &nobody(),
    ];
    fails_with(3, &arguments, "./dev serve");
}

#[test]
fn wrong_usage_is_told_apart() {
    for arguments in [
        &[][..],
        &["classify"],
        &["evaluate"],
        &["evaluate", "--model", "x", "--images", "y", "--limit", "0"],
        &["evaluate", "--model", "x"],
        &["evaluate", "--model", "x", "--images", "y", "--text", "z"],
        &["complete"],
        &["keys"],
        &["keys", "forget", "--all", "--model", "x"],
    ] {
        assert_eq!(
            cipherformer(arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

const LANGUAGE: &str = "wiki-lm";

#[test]
fn text_in_the_clear_is_measured_by_tokens_and_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.txt");
    let text = "The river flows through the north of the country. \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f600}\n";
    fs::write(&path, text).unwrap();
    let evaluate = |more: &[&str]| -> serde_json::Value {
        let path = path.to_str().unwrap();
        let output =
            cipherformer(&[&["evaluate", "--model", LANGUAGE, "--text", path], more].concat());
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{notes}");
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(report.lines().count(), 1);
        serde_json::from_str(&report).unwrap()
    };
    let number = |report: &serde_json::Value, name| report[name].as_f64().unwrap();
    let whole = evaluate(&[]);
    assert_eq!(whole.as_object().unwrap().len(), 3);
    let (tokens, words) = (
        number(&whole, "tokens"),
        text.split_whitespace().count() as f64,
    );
    let word = number(&whole, "ppl_token").powf(tokens / words);
    assert!((number(&whole, "ppl_word") / word - 1.0).abs() < 1e-9);
    let four = evaluate(&["--limit", "4"]);
    assert_eq!(four["tokens"], 4);
    assert!(number(&four, "ppl_token") > 1.0 && four["ppl_token"] != whole["ppl_token"]);
    assert_eq!(evaluate(&["--limit", "100000"]), whole);
}

#[test]
fn files_that_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let evaluate = |bytes: &[u8], expected: &str| {
        let path = folder.path().join("text.txt");
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        fails(&["evaluate", "--model", LANGUAGE, "--text", path], expected);
    };
    evaluate(b"caf\xe9", "text.txt is no UTF-8 text: byte 3");
    evaluate(b"\xff\xfet\0e\0", "no UTF-8 text: byte 0");
    evaluate(b"", "there is no text in");
    evaluate(b" \n\t", "there is no text in");
    fails(
        &["evaluate", "--model", LANGUAGE, "--text", "/nowhere.txt"],
        "/nowhere.txt",
    );
    let path = folder.path().join("text.txt");
    let path = path.to_str().unwrap();
    fails(
        &["evaluate", "--model", MODEL, "--text", path],
        "classifies images: measure it with --images",
    );
    fails(
        &["evaluate", "--model", LANGUAGE, "--images", path],
        "completes text: measure it with --text",
    );
}

#[test]
fn an_address_that_is_none_is_refused_before_anybody_is_asked() {
    for address in ["localhost:80", "127.0.0.1:80", "x y", "ftp://localhost"] {
        fails(
            &["models", "--server", address],
            "the address cannot be used",
        );
    }
}
