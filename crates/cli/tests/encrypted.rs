//! The released models through the real server at the real parameters, with the commands a person would type.

mod common;

use std::{fs, path::Path, process::Command};

use common::{cipherformer, root, start};
use native_server::models;

fn serve(model: &str) -> String {
    let folder = root().join("models").join(model);
    start(vec![models::load(&folder).unwrap()])
}

fn evaluate(model: &str, data: &str, path: &Path) -> serde_json::Value {
    let mut command = cipherformer();
    command.args(["evaluate", "--model", model, "--encrypted"]);
    command.args(["--server", &serve(model), data]).arg(path);
    report(command)
}

fn report(mut command: Command) -> serde_json::Value {
    let output = command.output().unwrap();
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{progress}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn encrypted_evaluation_agrees_with_the_clear_one() {
    let images = tempfile::tempdir().unwrap();
    fs::create_dir(images.path().join("apple")).unwrap();
    let apple = images.path().join("apple/1.png");
    fs::copy(root().join("web/samples/apple.png"), apple).unwrap();
    let report = evaluate("cifar100-vit", "--images", images.path());
    assert_eq!((&report["n"], &report["agree"]), (&1.into(), &1.0.into()));
    assert!(report["seconds_per_image"].as_f64().unwrap() > 0.0);
    assert!(report["top1"].is_f64() && report["top5"].is_f64());
}

#[test]
fn encrypted_predictions_agree_with_the_clear_ones() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = folder.path().join("prompts.txt");
    let long = "The river flows through the north of the country. ".repeat(12);
    fs::write(&prompts, format!("In 1984, the\n\n  \n{long}\n")).unwrap();
    let report = evaluate("wiki-lm", "--text", &prompts);
    assert_eq!(
        (&report["prompts"], &report["agree"]),
        (&2.into(), &1.0.into())
    );
    assert!(report["seconds_per_token"].as_f64().unwrap() > 0.0);
    let difference = report["top10_difference"].as_f64().unwrap();
    assert!(difference <= 0.02, "{difference}");
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
