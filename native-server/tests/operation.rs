//! What whoever runs the server relies on: numbers, logs, limits, configuration.
#![cfg(unix)]

mod common;

use std::{num::NonZeroU32, process::Command, time::Duration};

use common::{Behaviour, Site, fake_key, fake_query, manifest, process::Start};
use native_server::{JobLimits, RateLimits, Settings};
use protocol::problem::ProblemKind;

/// A visit with its accidents; returns every id that came up.
fn visit(site: &Site) -> Vec<String> {
    let set = site.complete_key_set();
    let job = site.job(&set, Behaviour::Answer);
    assert_eq!(site.outcome(&job).status, 200);
    let failed = site.job(&set, Behaviour::Fail);
    site.outcome(&failed).is(ProblemKind::EvaluationFailed);
    let panicked = site.job(&set, Behaviour::Panic);
    site.outcome(&panicked).is(ProblemKind::EvaluationFailed);
    let cancelled = site.job(&set, Behaviour::Crawl);
    assert_eq!(site.delete(&cancelled).status, 204);
    site.outcome(&cancelled).is(ProblemKind::Cancelled);
    site.send(
        "PUT",
        &format!("{set}/keys/nothing/parts/0"),
        common::BINARY,
        b"x",
    )
    .is(ProblemKind::UnknownKey);
    site.upload(&set, &manifest().keys[1].name, &fake_key(1)[..9])
        .is(ProblemKind::PartLength);
    site.infer(&set, b"nonsense").is(ProblemKind::BadContainer);
    let unknown = format!("/v1/key-sets/{}", "5a".repeat(16));
    site.get(&unknown).is(ProblemKind::UnknownKeySet);
    site.get(&format!("{unknown}/further"))
        .is(ProblemKind::NotFound);
    assert_eq!(site.get(&format!("{set}?x=1")).status, 200);
    let kept = site.new_key_set();
    assert_eq!(site.delete(&set).status, 204);
    site.get(&set).is(ProblemKind::UnknownKeySet);
    let paths = [set, job, failed, panicked, cancelled, unknown, kept];
    paths
        .iter()
        .map(|path| path.rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[test]
fn no_id_is_in_logs_numbers_or_problems() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["text", "json"] {
        let start = Start {
            keys: Some(folder.path()),
            flags: &["--log", "debug", "--log-format", format],
            ..Start::default()
        };
        let server = start.run();
        let ids = visit(&server.site);
        let numbers = String::from_utf8(server.site.get("/metrics").body).unwrap();
        server.terminate();
        let (_, log) = server.wait();
        assert!(
            log.contains("/v1/key-sets/{id}/keys/{name}/parts/{part}"),
            "{log}"
        );
        assert!(
            log.contains("part-length") && log.contains("\"404\"") | log.contains("404"),
            "{log}"
        );
        for id in ids {
            // A part of it would already make guessing easier.
            for piece in [&id[..8], &id[24..]] {
                assert!(!log.contains(piece), "{piece} is in the log");
                assert!(!numbers.contains(piece), "{piece} is in the numbers");
            }
        }
        if format == "json" {
            let requests = log.lines().filter(|line| line.starts_with('{'));
            let requests: Vec<serde_json::Value> = requests
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert!(
                requests
                    .iter()
                    .any(|line| line["route"] == "/v1/models/{id}"
                        || line["route"] == "/v1/key-sets")
            );
        }
    }
}

#[test]
fn numbers_tell_of_layers_outcomes_keys_and_refusals() {
    let site = Site::start(Settings::default());
    visit(&site);
    let set = site.complete_key_set();
    let answer = site.get("/metrics");
    assert_eq!(
        answer.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = String::from_utf8(answer.body).unwrap();
    let number = |name: &str| -> f64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
            .parse()
            .unwrap()
    };
    assert_eq!(
        number("cipherformer_inference_seconds_count{model=\"fake\",outcome=\"done\"}"),
        1.0
    );
    assert_eq!(
        number("cipherformer_inference_seconds_count{model=\"fake\",outcome=\"failed\"}"),
        2.0
    );
    assert!(number("cipherformer_layer_seconds_count{model=\"fake\",layer=\"layer\"}") >= 1.0);
    assert_eq!(
        number("cipherformer_problems_total{kind=\"part-length\"}"),
        1.0
    );
    assert_eq!(
        number("cipherformer_problems_total{kind=\"rate-limited\"}"),
        0.0
    );
    assert_eq!(number("cipherformer_queue_length"), 0.0);
    assert_eq!(number("cipherformer_key_sets"), 2.0);
    let stored: u64 = manifest().keys.iter().map(|key| key.bytes).sum();
    assert_eq!(
        number("cipherformer_key_bytes{place=\"disk\"}"),
        stored as f64
    );
    assert!(number("cipherformer_key_bytes{place=\"memory\"}") > stored as f64);
    assert!(
        text.contains("route=\"/v1/key-sets/{id}\",status=\"200\""),
        "{text}"
    );
    assert_eq!(site.delete(&set).status, 204);
    assert!(
        String::from_utf8(site.get("/metrics").body)
            .unwrap()
            .contains("cipherformer_key_bytes{place=\"disk\"} 0")
    );
}

#[test]
fn an_address_may_ask_so_often() {
    let number = NonZeroU32::new;
    let rates = RateLimits {
        requests_per_second: number(1),
        burst: number(30),
        key_sets_per_minute: number(2),
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
    };
    let site = Site::start(Settings {
        rates,
        ..Settings::default()
    });
    let body =
        serde_json::json!({"model": "fake", "configuration": manifest().configuration}).to_string();
    let new = |visitor: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", visitor),
        ];
        site.send_with("POST", "/v1/key-sets", &headers, body.as_bytes())
    };
    assert_eq!((new("1.2.3.4").status, new("1.2.3.4").status), (201, 201));
    let answer = new("1.2.3.4");
    let problem = answer.is(ProblemKind::RateLimited);
    let wait = problem.retry_after.unwrap().get();
    assert!((1..=31).contains(&wait));
    assert_eq!(answer.headers["retry-after"], wait.to_string());
    assert_eq!(new("1.2.3.5").status, 201);

    let refused = (0..60)
        .map(|_| site.get("/v1/models"))
        .find(|answer| answer.status != 200)
        .unwrap();
    refused.is(ProblemKind::RateLimited);
    assert!(refused.headers.contains_key("content-security-policy"));
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(site.get(path).status, 200);
    }
    assert_eq!(new("1.2.3.6").status, 201);
}

#[test]
fn an_inference_may_take_so_long() {
    let jobs = JobLimits {
        time: Duration::from_millis(200),
        ..JobLimits::default()
    };
    let site = Site::start(Settings {
        jobs,
        ..Settings::default()
    });
    let set = site.complete_key_set();
    let (endless, next) = (
        site.job(&set, Behaviour::Crawl),
        site.job(&set, Behaviour::Answer),
    );
    site.outcome(&endless).is(ProblemKind::TimeLimit);
    assert_eq!(site.outcome(&next).status, 200);
}

#[test]
fn key_sets_take_turns_and_a_full_queue_tells_its_length() {
    let jobs = JobLimits {
        waiting: 4,
        waiting_per_set: 3,
        ..JobLimits::default()
    };
    let site = Site::start(Settings {
        jobs,
        ..Settings::default()
    });
    let (greedy, modest) = (site.complete_key_set(), site.complete_key_set());
    let running = site.job(&greedy, Behaviour::Crawl);
    while site.get(&format!("{running}/result")).json()["layer"] != "layer" {}
    let many = [(); 3].map(|()| site.job(&greedy, Behaviour::Crawl));
    let one = site.job(&modest, Behaviour::Answer);
    let answer = site.infer(&modest, &fake_query(Behaviour::Answer));
    let problem = answer.is(ProblemKind::QueueFull);
    assert_eq!(problem.waiting.map(Into::into), Some(4));
    assert_eq!(
        answer.headers["retry-after"],
        problem.retry_after.unwrap().to_string()
    );
    // Each round serves one inference of every set; no inference has told yet how long it takes, so the manifest does.
    let left = |job: &str| site.get(&format!("{job}/result")).json()["eta_ms"].clone();
    assert_eq!(many.each_ref().map(|job| left(job)), [100, 300, 400]);
    assert_eq!(left(&one), 200);
    // The greedy set waits first, so its next one is served first; then it is the modest one's turn.
    assert_eq!(site.delete(&running).status, 204);
    while site.get(&format!("{}/result", many[0])).json()["layer"] != "layer" {}
    assert_eq!(site.delete(&many[0]).status, 204);
    assert_eq!(site.outcome(&one).status, 200);
    for job in &many[1..] {
        assert_eq!(site.get(&format!("{job}/result")).status, 202);
        assert_eq!(site.delete(job).status, 204);
    }
}

/// Runs the released program with a configuration that it refuses; returns what it says.
fn refused(arguments: &[&str], file: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cipherformer-server"));
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
        command.arg("--config").arg(&path);
    }
    let output = command.args(arguments).env("HOME", "").output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    text.replace(path.to_str().unwrap(), "FILE")
}

#[test]
fn a_wrong_configuration_is_refused_in_one_clear_line() {
    let found = refused(&[], Some("address = \"127.0.0.1:0\"\n\nkey_memroy = 5\n"));
    assert!(
        found.contains(
            "configuration FILE, line 3: unknown field `key_memroy`, expected one of `models`"
        ),
        "{found}"
    );
    assert_eq!(found.lines().count(), 1, "{found}");
    for (text, expected) in [
        ("queue = 0", "line 1: invalid value"),
        ("key_expiry = \"soon\"", "line 1: expected number"),
        (
            "trusted_proxies = [\"proxy\"]",
            "line 1: invalid IP address syntax",
        ),
        ("log = \"loud\"", "line 1: unknown variant `loud`"),
        ("address = [", "line 1:"),
    ] {
        let found = refused(&[], Some(text));
        assert!(found.contains(expected), "{text}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    let found = refused(&["--config", "/nowhere.toml"], None);
    assert!(
        found.starts_with("cipherformer-server: cannot read the configuration /nowhere.toml"),
        "{found}"
    );
    assert!(refused(&["--key-memory", "0"], None).contains("--key-memory"));
    let found = refused(&["--models", "/nowhere", "--address", "127.0.0.1:0"], None);
    assert!(
        found.contains("--key-store: there is no home folder"),
        "{found}"
    );
}
