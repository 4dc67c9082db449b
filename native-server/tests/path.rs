//! The way that works: keys up, query up, progress, result down.

mod common;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use common::{BINARY, Behaviour, DIGEST, FILE, QUERY_PAYLOAD, Site, fake_key, manifest};
use native_server::{JobLimits, Settings};
use protocol::{
    container::{self, ObjectType},
    events::{Event, EventReader},
    problem::ProblemKind,
};

#[test]
fn keys_query_events_result() {
    let site = Site::start(Settings::default());
    let set = site.complete_key_set();
    let job = site.job(&set, Behaviour::Answer);
    let events = read_events(&site, &job);
    assert_eq!(events.last(), Some(&Event::Done));
    let done: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Progress(progress) => Some((progress.done, progress.total)),
            _ => None,
        })
        .collect();
    assert!(!done.is_empty() && done.is_sorted(), "{done:?}");
    assert!(done.iter().all(|&(_, total)| total == 1000));

    let answer = site.outcome(&job);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], BINARY);
    let payload = container::read(&answer.body, 1 << 20, ObjectType::Result, &DIGEST).unwrap();
    assert_eq!(
        (payload.len(), payload[QUERY_PAYLOAD - 1]),
        (QUERY_PAYLOAD, Behaviour::Answer as u8)
    );

    assert_eq!(site.delete(&job).status, 204);
    site.get(&format!("{job}/result"))
        .is(ProblemKind::UnknownInference);
}

#[test]
fn models_are_listed_and_described() {
    let site = Site::start(Settings::default());
    assert_eq!(site.get("/v1/models").json()["models"][0]["id"], "fake");
    let answer = site.get("/v1/models/fake");
    let read: protocol::manifest::Manifest = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(read, manifest());
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(site.get("/readyz").status, 200);
}

#[test]
fn files_of_a_model_are_those_of_its_manifest() {
    let site = Site::start(Settings::default());
    let row = &site.get("/v1/models").json()["models"][0];
    assert_eq!(row["task"], "complete");
    let entry = manifest().task.files()[0].clone();
    let path = format!("/v1/models/fake/files/{}", entry.name);
    let answer = site.get(&path);
    assert_eq!((answer.status, &answer.body[..]), (200, FILE));
    assert!(entry.is(&answer.body));
    assert_eq!(answer.headers["content-type"], BINARY);
    let tag = answer.headers["etag"].to_str().unwrap();
    assert_eq!(tag, format!("\"{}\"", entry.digest));
    assert_eq!(answer.headers["cache-control"], "public, no-cache");

    let again = |tags: &str| site.send_with("GET", &path, &[("if-none-match", tags)], &[]);
    for tags in [tag, &format!("\"other\", W/{tag}"), "*"] {
        let answer = again(tags);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{tags}");
        assert_eq!(answer.headers["etag"], tag);
    }
    for tags in ["\"other\"", "nonsense", ""] {
        assert_eq!(again(tags).status, 200, "{tags}");
    }

    for name in [
        "secret.txt",
        "embedding.safetensors",
        "model.safetensors",
        "config.json",
        "..%2Fconfig.json",
        "%00",
    ] {
        let answer = site.get(&format!("/v1/models/fake/files/{name}"));
        answer.is(ProblemKind::UnknownFile);
    }
    site.get("/v1/models/other/files/tokenizer.json")
        .is(ProblemKind::UnknownModel);
    let answer = site.send("PUT", &path, BINARY, b"mine");
    answer.is(ProblemKind::MethodNotAllowed);
    assert_eq!(answer.headers["allow"], "GET");
}

#[test]
fn uploads_are_idempotent_and_resumable() {
    let site = Site::start(Settings::default());
    let set = site.new_key_set();
    let keys = manifest().keys;
    assert_eq!(
        site.missing(&set),
        [keys[0].name.clone(), keys[1].name.clone()]
    );
    let first = fake_key(0);
    let (head, tail) = first.split_at(protocol::limits::PART_BYTES);
    let path = |part| format!("{set}/keys/{}/parts/{part}", keys[0].name);
    for _ in 0..2 {
        assert_eq!(site.send("PUT", &path(1), BINARY, tail).status, 204);
        assert_eq!(site.missing(&set).len(), 2);
    }
    let checksum = blake3::hash(head).to_string();
    let headers = [
        ("content-type", BINARY),
        ("x-part-blake3", checksum.as_str()),
    ];
    for _ in 0..2 {
        assert_eq!(site.send_with("PUT", &path(0), &headers, head).status, 204);
        assert_eq!(site.missing(&set), [keys[1].name.clone()]);
    }
}

#[test]
fn cancelling_frees_the_worker_at_once() {
    let site = Site::start(Settings::default());
    let set = site.complete_key_set();
    let long = site.job(&set, Behaviour::Crawl);
    let waiting = site.job(&set, Behaviour::Crawl);
    let next = site.job(&set, Behaviour::Answer);
    let start = Instant::now();
    assert_eq!(site.delete(&waiting).status, 204);
    site.get(&format!("{waiting}/result"))
        .is(ProblemKind::Cancelled);
    assert_eq!(site.delete(&long).status, 204);
    assert_eq!(site.outcome(&next).status, 200);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    site.get(&format!("{long}/result"))
        .is(ProblemKind::Cancelled);
    assert_eq!(read_events(&site, &long), [Event::Cancelled]);
}

#[test]
fn deleting_a_key_set_stops_its_inferences() {
    let site = Site::start(Settings::default());
    let set = site.complete_key_set();
    let long = site.job(&set, Behaviour::Crawl);
    assert_eq!(site.delete(&set).status, 204);
    site.outcome(&long).is(ProblemKind::Cancelled);
    site.get(&set).is(ProblemKind::UnknownKeySet);
}

#[test]
fn a_failing_evaluator_harms_nobody_else() {
    let site = Site::start(Settings::default());
    let set = site.complete_key_set();
    let failing = site.job(&set, Behaviour::Fail);
    let panicking = site.job(&set, Behaviour::Panic);
    let sound = site.job(&set, Behaviour::Answer);
    let problem = site.outcome(&failing).is(ProblemKind::EvaluationFailed);
    assert!(problem.detail.contains("out of levels"));
    site.outcome(&panicking).is(ProblemKind::EvaluationFailed);
    assert_eq!(site.outcome(&sound).status, 200);
    assert!(matches!(
        read_events(&site, &failing)[..],
        [Event::Failed(_)]
    ));
}

#[test]
fn the_queue_is_bounded() {
    let jobs = JobLimits {
        waiting: 1,
        ..JobLimits::default()
    };
    let site = Site::start(Settings {
        jobs,
        ..Settings::default()
    });
    let set = site.complete_key_set();
    let running = site.job(&set, Behaviour::Crawl);
    while site.get(&format!("{running}/result")).json()["layer"] == "queued" {}
    let _waiting = site.job(&set, Behaviour::Crawl);
    let answer = site.infer(&set, &common::fake_query(Behaviour::Answer));
    answer.is(ProblemKind::QueueFull);
    assert!(answer.headers.contains_key("retry-after"));
}

#[test]
fn one_client_cannot_take_the_whole_queue() {
    let jobs = JobLimits {
        waiting_per_set: 1,
        ..JobLimits::default()
    };
    let site = Site::start(Settings {
        jobs,
        ..Settings::default()
    });
    let (greedy, other) = (site.complete_key_set(), site.complete_key_set());
    let running = site.job(&greedy, Behaviour::Crawl);
    while site.get(&format!("{running}/result")).json()["layer"] == "queued" {}
    let _waiting = site.job(&greedy, Behaviour::Crawl);
    site.infer(&greedy, &common::fake_query(Behaviour::Answer))
        .is(ProblemKind::QueueFull);
    let _job = site.job(&other, Behaviour::Answer);
}

#[test]
fn the_oldest_results_make_room() {
    let jobs = JobLimits {
        known: 2,
        ..JobLimits::default()
    };
    let site = Site::start(Settings {
        jobs,
        ..Settings::default()
    });
    let set = site.complete_key_set();
    let jobs: Vec<_> = (0..3)
        .map(|_| {
            let job = site.job(&set, Behaviour::Answer);
            assert_eq!(site.outcome(&job).status, 200);
            job
        })
        .collect();
    site.outcome(&jobs[0]).is(ProblemKind::UnknownInference);
    assert_eq!(site.outcome(&jobs[1]).status, 200);
}

#[test]
fn a_client_that_hangs_up_stops_nothing() {
    let site = Site::start(Settings::default());
    let set = site.complete_key_set();
    let job = site.job(&set, Behaviour::Answer);
    let mut stream = TcpStream::connect(site.address).unwrap();
    write!(stream, "GET {job}/events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    drop(stream);
    assert_eq!(site.outcome(&job).status, 200);
}

fn read_events(site: &Site, job: &str) -> Vec<Event> {
    let response = ureq::get(site.url(&format!("{job}/events")))
        .call()
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut reader = EventReader::default();
    BufReader::new(response.into_body().into_reader())
        .lines()
        .filter_map(|line| reader.line(&line.unwrap()).unwrap())
        .collect()
}
