//! Kept keys: made once, sent where they are missing, used by later calls, forgotten without a trace.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::{
    Small, cipherformer,
    proxy::{FORBIDDEN, Fate, Requests, proxy},
    start,
};
use native_server::engine::Engine;
use serde_json::Value;

const BUSY: &str =
    "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

const INTERRUPTED_AFTER: usize = 3;

fn engine() -> Arc<dyn Engine> {
    static ENGINE: OnceLock<Arc<dyn Engine>> = OnceLock::new();
    Arc::clone(ENGINE.get_or_init(|| Small::new().engine()))
}

/// A person with a folder for keys, and a server behind a proxy.
struct Visit {
    data: tempfile::TempDir,
    server: String,
    requests: Requests,
}

impl Visit {
    fn new(judge: impl Fn(usize, &str) -> Fate + Send + Sync + 'static) -> Self {
        let (server, requests) = proxy(&start(vec![engine()]), judge);
        let data = tempfile::tempdir().unwrap();
        Self {
            data,
            server,
            requests,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        cipherformer()
            .env("XDG_DATA_HOME", self.data.path())
            .env("CIPHERFORMER_SERVER", &self.server)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What a command prints as JSON, after checking that it succeeds.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{notes}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[track_caller]
    fn fails(&self, code: i32, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let notes = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{notes}");
        assert!(notes.lines().last().unwrap().contains(expected), "{notes}");
    }

    fn complete(&self) -> Value {
        self.json(&["complete", "the", "--tokens", "1", "--temperature", "0"])
    }

    /// The folder of the only kept keys.
    fn folder(&self) -> PathBuf {
        let listed = self.json(&["keys", "list"]);
        assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
        PathBuf::from(listed["keys"][0]["folder"].as_str().unwrap())
    }
}

fn keys() -> usize {
    engine().manifest().keys.len()
}

/// Requests that upload all keys.
fn parts() -> usize {
    let engine = engine();
    let keys = engine.manifest().keys.iter();
    keys.map(|key| key.bytes.div_ceil(8 << 20) as usize).sum()
}

fn set(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("set.json")).unwrap()).unwrap()
}

#[test]
fn kept_keys_serve_later_calls_until_they_are_forgotten() {
    let visit = Visit::new(|_, _| Fate::Pass);
    visit.fails(1, &["keys", "upload"], "no keys are kept");
    visit.fails(1, &["keys", "forget"], "no keys are kept");
    let made = visit.json(&["keys", "make"]);
    assert_eq!(made["keys"][0]["model"], engine().manifest().model);
    assert_eq!(visit.requests.count("PUT"), parts());

    visit.requests.clear();
    let said = visit.complete();
    assert_eq!(
        (&said["tokens"], &said["prompt_tokens"]),
        (&1.into(), &1.into())
    );
    assert!(said["seconds_per_token"].as_f64().unwrap() > 0.0);
    assert_eq!(visit.complete()["text"], said["text"]);
    assert_eq!(
        visit.json(&["keys", "make"])["keys"],
        visit.json(&["keys", "list"])["keys"]
    );
    for nothing in ["PUT", "POST /v1/key-sets", "DELETE"] {
        assert_eq!(visit.requests.count(nothing), 0, "{nothing}");
    }

    // What the server dropped is made again from the same seed.
    let folder = visit.folder();
    let seed = fs::read(folder.join("seed")).unwrap();
    assert_eq!(seed.len(), 32);
    let id = set(&folder)["key_set"].as_str().unwrap().to_owned();
    let address = format!("{}/v1/key-sets/{id}", visit.server);
    assert_eq!(ureq::delete(&address).call().unwrap().status(), 204);
    assert_eq!(visit.complete()["text"], said["text"]);
    assert_eq!(visit.requests.count("PUT"), parts());
    assert_eq!(fs::read(folder.join("seed")).unwrap(), seed);
    let id = set(&folder)["key_set"].as_str().unwrap().to_owned();

    let forgotten = visit.json(&["keys", "forget"]);
    assert_eq!(forgotten["forgotten"][0]["deleted_on_server"], true);
    assert_eq!(
        visit.requests.count(&format!("DELETE /v1/key-sets/{id}")),
        1
    );
    assert!(!folder.exists());
    assert_eq!(
        visit.json(&["keys", "list"])["keys"],
        Value::Array(Vec::new())
    );
}

#[test]
fn an_interrupted_upload_goes_on_where_it_stopped() {
    let visit = Visit::new(|before, request| {
        // The model's list and manifest and the new set come before the parts.
        if request.starts_with("PUT") && before == INTERRUPTED_AFTER + 3 {
            return Fate::Answer(FORBIDDEN);
        }
        Fate::Pass
    });
    visit.fails(4, &["keys", "make"], "status 403");
    assert_eq!(visit.requests.count("PUT"), INTERRUPTED_AFTER + 1);
    assert_eq!(visit.requests.count("DELETE"), 0);
    let id = set(&visit.folder())["key_set"].clone();
    visit.json(&["keys", "upload"]);
    assert_eq!(set(&visit.folder())["key_set"], id);
    let again = parts() + INTERRUPTED_AFTER + 1 - visit.requests.count("PUT");
    assert!(again >= 1, "at least one key was complete before");
    let text = String::from_utf8(visit.run(&["keys", "upload"]).stderr).unwrap();
    assert!(text.contains("the server has all keys"), "{text}");

    // A model that needs other keys gets another secret.
    let folder = visit.folder();
    let seed = fs::read(folder.join("seed")).unwrap();
    let mut outdated = set(&folder);
    outdated["configuration"] = "00".repeat(32).into();
    fs::write(folder.join("set.json"), outdated.to_string()).unwrap();
    visit.json(&["keys", "upload"]);
    assert_ne!(fs::read(folder.join("seed")).unwrap(), seed);
    assert_eq!(visit.requests.count("DELETE"), 1);
}

#[test]
fn what_is_lost_is_sent_again_but_never_a_query() {
    let visit = Visit::new(|before, request| match request {
        _ if request.starts_with("POST /v1/inferences") => Fate::LoseAnswer,
        _ if before == 1 || before == 5 => Fate::LoseAnswer,
        _ if before == 7 => Fate::Answer(BUSY),
        _ => Fate::Pass,
    });
    let complete = ["complete", "the", "--tokens", "1"];
    visit.fails(3, &complete, "no answer from");
    assert_eq!(
        visit.requests.count("GET /v1/models/"),
        2 + 2,
        "manifest twice, two files"
    );
    assert_eq!(visit.requests.count("PUT"), parts() + 1, "one was refused");
    assert_eq!(visit.requests.count("POST /v1/inferences"), 1);
    assert_eq!(
        visit.requests.count("DELETE /v1/key-sets"),
        1,
        "keys that are not kept are deleted"
    );
}

#[test]
fn what_is_kept_must_be_private_and_whole() {
    let visit = Visit::new(|_, request| match request {
        _ if request.starts_with("PUT") => Fate::Answer(FORBIDDEN),
        _ => Fate::Pass,
    });
    visit.fails(4, &["keys", "make"], "status 403");
    let folder = visit.folder();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let seed = folder.join("seed");
        assert_eq!(
            fs::metadata(&seed).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&seed, fs::Permissions::from_mode(0o604)).unwrap();
        visit.fails(
            1,
            &["keys", "upload"],
            "seed is no seed that only you can read",
        );
    }
    fs::write(folder.join("set.json"), "{}").unwrap();
    visit.fails(1, &["complete", "the"], "set.json is damaged");
    visit.fails(1, &["keys", "list"], "set.json is damaged");
}

#[test]
fn a_model_for_something_else_is_refused_before_keys_are_sent() {
    let visit = Visit::new(|_, _| Fate::Pass);
    let picture = common::root().join("web/samples/apple.png");
    let name = engine().manifest().model.clone();
    let classify = ["classify", picture.to_str().unwrap(), "--model", &name];
    visit.fails(1, &classify, "completes text");
    visit.fails(
        4,
        &["keys", "make", "--model", "nope"],
        "no such model: \"nope\". GET",
    );
    assert_eq!(
        visit.requests.count("POST") + visit.requests.count("PUT"),
        0
    );
}

#[test]
fn the_models_of_a_server_are_listed() {
    let visit = Visit::new(|_, _| Fate::Pass);
    let engine = engine();
    let manifest = engine.manifest();
    let listed = visit.json(&["models"]);
    let model = &listed["models"][0];
    assert_eq!(listed["models"].as_array().unwrap().len(), 1);
    assert_eq!(model["id"], manifest.model);
    assert_eq!(model["task"], "complete");
    assert_eq!(model["parameters"], manifest.parameters.name);
    assert_eq!(model["security_bits"], 128);
    assert_eq!(model["evaluation_key_bytes"], manifest.evaluation_key_bytes);
    assert_eq!(model["keys"], keys());
    assert!(model["expected_seconds"].is_f64() && model.get("refused").is_none());
    let output = visit.run(&["models"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("MODEL ") && text.contains(&manifest.model),
        "{text}"
    );
    assert_eq!(text.lines().count(), 2, "{text}");
}

/// An inference that the server began and does not know any more.
const FORGOTTEN: &str = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 41\r\nConnection: close\r\n\r\n\
     {\"id\":\"00000000000000000000000000000000\"}\n";

#[test]
fn a_question_is_asked_again_after_three_losses_and_not_after_four() {
    for (losses, asked) in [(3, 4), (4, 4)] {
        let left = AtomicUsize::new(losses);
        let one_less = move |left: usize| left.checked_sub(1);
        let visit = Visit::new(move |_, request| {
            let asks = request.starts_with("POST /v1/inferences");
            let lost = || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
            if asks && lost().is_ok() {
                return Fate::Answer(FORGOTTEN);
            }
            Fate::Pass
        });
        if losses < asked {
            visit.complete();
        } else {
            let complete = ["complete", "the", "--tokens", "1"];
            visit.fails(4, &complete, "no such inference");
        }
        assert_eq!(visit.requests.count("POST /v1/inferences"), asked);
        assert_eq!(visit.requests.count("PUT"), parts(), "no key was lost");
        assert_eq!(visit.requests.count("POST /v1/key-sets"), 1);
        assert_eq!(visit.requests.count("DELETE /v1/key-sets"), 1);
    }
}
