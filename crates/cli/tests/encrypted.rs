//! The released models through the real server at the real parameters, with the commands a person would type.

mod common;

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use common::{
    cipherformer,
    proxy::{FORBIDDEN, Fate, proxy},
    root, start,
};
use native_server::models;
use protocol::measured::{Encrypted, RECORD};

/// A model of the repository in a folder that may be written to.
fn copy(model: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(root().join("models").join(model)).unwrap() {
        let file = file.unwrap();
        // What was recorded of the released model is not what is tested.
        if file.file_name() != RECORD {
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

/// Evaluates as somebody who keeps keys for the same server and model.
fn evaluate(folder: &Path, data: &str, path: &Path) -> serde_json::Value {
    let model = models::load(folder).unwrap();
    let name = model.manifest().model.clone();
    let home = tempfile::tempdir().unwrap();
    let made = AtomicBool::new(false);
    let (server, requests) = proxy(&start(vec![model]), move |_, request| {
        // The secret is kept before its first key is refused; nobody has to wait for the others.
        if request.starts_with("PUT") && !made.swap(true, Ordering::SeqCst) {
            return Fate::Answer(FORBIDDEN);
        }
        Fate::Pass
    });
    let command = |arguments: &[&str]| {
        let mut command = cipherformer();
        command.env("XDG_DATA_HOME", home.path());
        command.env("CIPHERFORMER_SERVER", &server).args(arguments);
        command
    };
    let make = command(&["keys", "make", "--model", &name]).output();
    assert_eq!(make.unwrap().status.code(), Some(4));
    let kept = report(command(&["keys", "list", "--json"]));
    let kept = Path::new(kept["keys"][0]["folder"].as_str().unwrap());
    let set: serde_json::Value =
        serde_json::from_slice(&fs::read(kept.join("set.json")).unwrap()).unwrap();
    let set = set["key_set"].as_str().unwrap();
    requests.clear();

    let mut command = command(&["evaluate", "--encrypted", "--record"]);
    command.arg("--model").arg(folder).arg(data).arg(path);
    let report = report(command);
    // What may be published of a key's decryptions is published of a key that is used for nothing else.
    assert_eq!(requests.naming(set), 0, "the kept key set was used");
    assert_eq!(requests.count("POST /v1/key-sets"), 1);
    assert_eq!(requests.count("DELETE /v1/key-sets"), 1);
    report
}

/// What a server shows of the model in `folder`.
fn shown(folder: &Path) -> Option<Encrypted> {
    models::load(folder).unwrap().manifest().encrypted.clone()
}

fn report(mut command: Command) -> serde_json::Value {
    let output = command.output().unwrap();
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{progress}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A folder with one labelled image.
fn apple() -> tempfile::TempDir {
    let images = tempfile::tempdir().unwrap();
    fs::create_dir(images.path().join("apple")).unwrap();
    let apple = images.path().join("apple/1.png");
    fs::copy(root().join("web/samples/apple.png"), apple).unwrap();
    images
}

#[test]
fn convolutions_that_are_not_the_servers_are_found_before_keys_are_sent() {
    let (images, folder) = (apple(), copy("cifar100-vit"));
    let server = start(vec![models::load(folder.path()).unwrap()]);
    let stem = folder.path().join("stem.safetensors");
    let mut bytes = fs::read(&stem).unwrap();
    let low = bytes.len() - 2;
    bytes[low] ^= 1;
    fs::write(stem, bytes).unwrap();
    let (server, requests) = proxy(&server, |_, _| Fate::Pass);
    let mut command = cipherformer();
    command.args(["evaluate", "--encrypted", "--server", &server, "--model"]);
    command
        .arg(folder.path())
        .arg("--images")
        .arg(images.path());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("its weights differ"), "{said}");
    assert_eq!(requests.count("POST /v1/key-sets"), 0);
}

#[test]
fn encrypted_evaluation_agrees_with_the_clear_one() {
    let images = apple();
    let folder = copy("cifar100-vit");
    assert_eq!(shown(folder.path()), None);
    let report = evaluate(folder.path(), "--images", images.path());
    assert_eq!((&report["n"], &report["agree"]), (&1.into(), &1.0.into()));
    assert!(report["seconds_per_image"].as_f64().unwrap() > 0.0);
    assert!(report["top1"].is_f64() && report["top5"].is_f64());

    let recorded = shown(folder.path()).unwrap();
    assert_eq!((recorded.inputs, recorded.agree), (1, 1));
    assert_eq!(report["top10_difference"], recorded.largest_difference);
    assert!(recorded.largest_difference > 0.0, "encryption adds noise");
    let accuracy = recorded.accuracy.unwrap();
    assert_eq!(
        (&report["top1"], 1),
        (&accuracy.top1.into(), accuracy.images)
    );

    // Of other weights it says nothing.
    let config = folder.path().join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "\n").unwrap();
    assert_eq!(shown(folder.path()), None);
    fs::write(folder.path().join(RECORD), "{").unwrap();
    let refused = models::load(folder.path()).err().unwrap().to_string();
    assert!(refused.contains(RECORD), "{refused}");
}

#[test]
fn encrypted_predictions_agree_with_the_clear_ones() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = folder.path().join("prompts.txt");
    let long = "The river flows through the north of the country. ".repeat(12);
    fs::write(&prompts, format!("In 1984, the\n\n  \n{long}\n")).unwrap();
    let model = copy("wiki-lm");
    let report = evaluate(model.path(), "--text", &prompts);
    assert_eq!(
        (&report["prompts"], &report["agree"]),
        (&2.into(), &1.0.into())
    );
    assert!(report["seconds_per_token"].as_f64().unwrap() > 0.0);
    let difference = report["top10_difference"].as_f64().unwrap();
    assert!(difference <= 0.02, "{difference}");
    let recorded = shown(model.path()).unwrap();
    assert_eq!((recorded.inputs, recorded.agree), (2, 2));
    assert_eq!(
        (recorded.largest_difference, recorded.accuracy),
        (difference, None)
    );
    // The clear numbers are those of the prompts' text.
    let text = folder.path().join("text.txt");
    fs::write(&text, format!("In 1984, the\n{long}")).unwrap();
    let mut command = cipherformer();
    command
        .args(["evaluate", "--model", "wiki-lm", "--text"])
        .arg(&text);
    let clear = self::report(command);
    assert_eq!(clear.as_object().unwrap().len(), 3);
    for name in ["ppl_token", "ppl_word", "tokens"] {
        assert_eq!(report[name], clear[name], "{name}");
    }
}
