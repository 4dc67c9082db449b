//! A server on a random port with a fake model, and a client that does not mind error statuses.

#![allow(dead_code, reason = "every test file uses another part")]

pub mod description;
#[cfg(unix)]
pub mod process;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    ops::ControlFlow,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use native_server::{
    Settings,
    engine::{Engine, KeyRing, Stopped, Watch},
    serve,
};
use protocol::{
    ckks::{CiphertextSpec, KeyKind, KeySpec, Subring},
    container::{self, OVERHEAD_BYTES, ObjectType},
    hex::Hex,
    layout::{Axis, Layout, Part},
    limits,
    manifest::{
        Complete, FileEntry, KeyEntry, Manifest, Object, PROTOCOL, ParameterSet, Security,
        TOKENIZER, Task,
    },
    problem::{Problem, ProblemKind},
};

/// Digest of the fake parameters.
pub const DIGEST: [u8; 32] = [3; 32];

/// Payload bytes of the fake keys; the first takes two parts.
pub const KEY_PAYLOADS: [usize; 2] = [limits::PART_BYTES + 100, 1000];

/// Payload bytes of a fake query.
pub const QUERY_PAYLOAD: usize = 64;

/// Content of the fake model's one file.
pub const FILE: &[u8] = b"{\"a tokenizer\": true}";

/// What the fake evaluator does, asked for by the first byte of a query.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Behaviour {
    /// Ten steps, then the query reversed.
    Answer = 0,
    /// Thousands of steps of ten milliseconds.
    Crawl = 1,
    /// An error of the evaluator.
    Fail = 2,
    /// A panic inside the evaluator.
    Panic = 3,
}

/// The fake model.
pub struct Fake(pub Manifest);

struct FakeRing(Vec<usize>);

impl Engine for Fake {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn parameter_digest(&self) -> [u8; 32] {
        DIGEST
    }

    fn prepared_bytes(&self, key: usize) -> u64 {
        2 * KEY_PAYLOADS[key] as u64
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        // The second one is not in the manifest.
        [TOKENIZER, "secret.txt"].contains(&name).then_some(FILE)
    }

    fn open(self: Arc<Self>) -> Box<dyn KeyRing> {
        Box::new(FakeRing(Vec::new()))
    }

    fn check_query(&self, payload: &[u8]) -> Result<(), Problem> {
        if payload.len() == QUERY_PAYLOAD {
            return Ok(());
        }
        Err(Problem::new(
            ProblemKind::BadContainer,
            "the query has the wrong size",
        ))
    }
}

impl KeyRing for FakeRing {
    fn insert(&mut self, key: usize, payload: &[u8]) -> Result<(), Problem> {
        if payload.len() != KEY_PAYLOADS[key] || payload[0] != key as u8 {
            return Err(Problem::new(
                ProblemKind::BadContainer,
                "this is another key",
            ));
        }
        self.0.push(key);
        Ok(())
    }

    fn evaluate(&self, query: &[u8], watch: Watch<'_>) -> Result<Vec<u8>, Stopped> {
        assert_eq!(
            self.0.len(),
            KEY_PAYLOADS.len(),
            "evaluated without all keys"
        );
        let steps = match query[0] {
            1 => 100_000,
            2 => return Err(Stopped::Failed("out of levels".to_owned())),
            3 => panic!("asked for"),
            _ => 10,
        };
        for step in 0..steps {
            if let ControlFlow::Break(()) = watch("layer", f64::from(step) / f64::from(steps)) {
                return Err(Stopped::Cancelled);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(query.iter().rev().copied().collect())
    }
}

/// Manifest of the fake model.
pub fn manifest() -> Manifest {
    let specs =
        [KeyKind::Relinearization, KeyKind::Galois(5)].map(|kind| KeySpec { kind, level: 1 });
    let keys: Vec<_> = specs
        .iter()
        .zip(KEY_PAYLOADS)
        .map(|(spec, payload)| KeyEntry {
            name: spec.name(),
            spec: *spec,
            bytes: (payload + OVERHEAD_BYTES) as u64,
        })
        .collect();
    let axes = vec![Axis {
        size: 1,
        stride: 1,
        part: Part::Real,
    }];
    let layout = Layout {
        tokens: 1,
        values: 1,
        token_stride: 0,
        axes,
    };
    let object = Object {
        spec: CiphertextSpec {
            level: 0,
            log_scale: 30.0,
            subring: Subring::Full,
        },
        layout,
        bytes: (QUERY_PAYLOAD + OVERHEAD_BYTES) as u64,
    };
    Manifest {
        protocol: PROTOCOL,
        model: "fake".to_owned(),
        weights: Hex([0; 32]),
        parameters: ParameterSet {
            name: "insecure-fake".to_owned(),
            digest: Hex(DIGEST),
            log_n: 1,
            log_qp: 1.0,
            security: Security {
                bits: 0,
                source: "none".to_owned(),
            },
        },
        configuration: Hex([9; 32]),
        evaluation_key_bytes: keys.iter().map(|key| key.bytes).sum(),
        keys,
        query: object.clone(),
        result: object,
        task: Task::Complete(Complete {
            window: 1,
            vocabulary: 1,
            pad: 0,
            files: vec![FileEntry::of(TOKENIZER, FILE)],
            perplexity: BTreeMap::new(),
        }),
        encrypted: None,
        expected_seconds: 0.1,
    }
}

/// A running server and a client for it.
pub struct Site {
    /// Where it listens.
    pub address: SocketAddr,
    agent: ureq::Agent,
}

/// An answer, whatever its status.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Site {
    /// Starts a server with the fake model.
    pub fn start(settings: Settings) -> Self {
        Self::start_with(vec![Arc::new(Fake(manifest()))], settings)
    }

    /// Starts a server with other models.
    pub fn start_with(models: Vec<Arc<dyn Engine>>, settings: Settings) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let (address, server) = serve(listener, models, settings).unwrap();
                sender.send(address).unwrap();
                server.await.unwrap();
            });
        });
        Self::at(receiver.recv().unwrap())
    }

    /// A client for a server that runs.
    pub fn at(address: SocketAddr) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        Self { address, agent }
    }

    /// Full address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request and reads the answer.
    pub fn send(&self, method: &str, path: &str, media: &str, body: &[u8]) -> Answer {
        self.send_with(method, path, &[("content-type", media)], body)
    }

    /// The same with headers.
    pub fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if body.is_empty() && matches!(method, "GET" | "DELETE" | "HEAD") {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        }
        .unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.body_mut().read_to_vec().unwrap();
        let answer = Answer {
            status,
            headers,
            body,
        };
        description::check(method, path, &answer);
        answer
    }

    /// `GET`
    pub fn get(&self, path: &str) -> Answer {
        self.send_with("GET", path, &[], &[])
    }

    /// `DELETE`
    pub fn delete(&self, path: &str) -> Answer {
        self.send_with("DELETE", path, &[], &[])
    }

    /// Posts JSON.
    pub fn post_json(&self, path: &str, json: &serde_json::Value) -> Answer {
        self.send(
            "POST",
            path,
            "application/json",
            json.to_string().as_bytes(),
        )
    }

    /// Creates a key set and returns its path.
    pub fn new_key_set(&self) -> String {
        let body = serde_json::json!({"model": "fake", "configuration": manifest().configuration});
        let answer = self.post_json("/v1/key-sets", &body);
        assert_eq!(answer.status, 201);
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(
            location,
            format!("/v1/key-sets/{}", answer.json()["id"].as_str().unwrap())
        );
        location
    }

    /// Uploads a key container in parts; returns the last answer.
    pub fn upload(&self, set: &str, name: &str, container: &[u8]) -> Answer {
        let parts = container.chunks(limits::PART_BYTES).enumerate();
        let answers = parts.map(|(part, bytes)| {
            self.send(
                "PUT",
                &format!("{set}/keys/{name}/parts/{part}"),
                BINARY,
                bytes,
            )
        });
        answers.reduce(|_, answer| answer).unwrap()
    }

    /// Creates a key set and uploads both keys.
    pub fn complete_key_set(&self) -> String {
        let set = self.new_key_set();
        for (index, key) in manifest().keys.iter().enumerate() {
            let answer = self.upload(&set, &key.name, &fake_key(index));
            assert_eq!(
                answer.status,
                204,
                "{}",
                String::from_utf8_lossy(&answer.body)
            );
        }
        assert_eq!(self.missing(&set), Vec::<String>::new());
        set
    }

    /// Names of the keys that a set lacks.
    pub fn missing(&self, set: &str) -> Vec<String> {
        let answer = self.get(set);
        assert_eq!(answer.status, 200);
        serde_json::from_value(answer.json()["missing"].clone()).unwrap()
    }

    /// Posts a query; returns the answer.
    pub fn infer(&self, set: &str, query: &[u8]) -> Answer {
        let id = set.rsplit('/').next().unwrap();
        self.send(
            "POST",
            &format!("/v1/inferences?key_set={id}"),
            BINARY,
            query,
        )
    }

    /// Posts a query that is accepted; returns the path of the inference.
    pub fn job(&self, set: &str, behaviour: Behaviour) -> String {
        let answer = self.infer(set, &fake_query(behaviour));
        assert_eq!(
            answer.status,
            202,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.headers["location"].to_str().unwrap().to_owned()
    }

    /// Waits until an inference is over; returns the answer to `GET result`.
    pub fn outcome(&self, job: &str) -> Answer {
        for _ in 0..1000 {
            let answer = self.get(&format!("{job}/result"));
            if answer.status != 202 {
                return answer;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the inference does not end");
    }

    /// Fails unless a question to the keys of `set` is answered.
    pub fn answers(&self, set: &str) {
        let answer = self.outcome(&self.job(set, Behaviour::Answer));
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{text}");
        // The fake evaluator turns the query round; the container's checksum stands behind the payload.
        assert_eq!(answer.body[48 + QUERY_PAYLOAD - 1], Behaviour::Answer as u8);
    }
}

/// Media type of binary bodies.
pub const BINARY: &str = "application/octet-stream";

/// A sound container of a fake key.
pub fn fake_key(index: usize) -> Vec<u8> {
    container::write(
        ObjectType::EvaluationKey,
        &DIGEST,
        &vec![index as u8; KEY_PAYLOADS[index]],
    )
}

/// A sound container of a fake query.
pub fn fake_query(behaviour: Behaviour) -> Vec<u8> {
    let mut payload = vec![7; QUERY_PAYLOAD];
    payload[0] = behaviour as u8;
    container::write(ObjectType::Query, &DIGEST, &payload)
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Checks that the answer is a problem of this kind.
    #[track_caller]
    pub fn is(&self, kind: ProblemKind) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, kind.status(), "{text}");
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{text}"
        );
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.kind(), Some(kind), "{text}");
        problem
    }
}
