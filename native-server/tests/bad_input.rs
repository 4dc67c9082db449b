//! Whatever is thrown at the server, it answers with a problem, lives on, and other clients notice nothing.

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use common::{BINARY, Behaviour, Site, fake_key, fake_query, manifest};
use native_server::Settings;
use protocol::{
    container::{self, ObjectType},
    limits,
    problem::ProblemKind,
};
use serde_json::json;

/// A server with a bystander whose keys must survive the test.
struct Scene {
    site: Site,
    bystander: String,
}

impl Scene {
    fn new() -> Self {
        let site = Site::start(Settings::default());
        let bystander = site.complete_key_set();
        Self { site, bystander }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert_eq!(self.site.get("/healthz").status, 200);
        let job = self.site.job(&self.bystander, Behaviour::Answer);
        assert_eq!(
            self.site.outcome(&job).status,
            200,
            "the bystander's keys are gone"
        );
    }
}

const SMALL: usize = 1;

fn small_key() -> String {
    manifest().keys[SMALL].name.clone()
}

#[test]
fn truncated_and_damaged_keys() {
    let scene = Scene::new();
    let set = scene.site.new_key_set();
    let sound = fake_key(SMALL);
    let path = format!("{set}/keys/{}/parts/0", small_key());
    for length in [0, 1, 47, sound.len() - 1] {
        scene
            .site
            .send("PUT", &path, BINARY, &sound[..length])
            .is(ProblemKind::PartLength);
    }
    for bit in (0..sound.len() * 8).step_by(301) {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        scene
            .site
            .send("PUT", &path, BINARY, &bytes)
            .is(ProblemKind::BadContainer);
    }
    let mut bytes = sound.clone();
    bytes.truncate(sound.len() - 100);
    bytes.resize(sound.len(), 0);
    scene
        .site
        .send("PUT", &path, BINARY, &bytes)
        .is(ProblemKind::BadContainer);
    assert!(scene.site.missing(&set).contains(&small_key()));
    assert_eq!(scene.site.send("PUT", &path, BINARY, &sound).status, 204);
    assert!(!scene.site.missing(&set).contains(&small_key()));
}

#[test]
fn another_key_under_this_name() {
    let scene = Scene::new();
    let set = scene.site.new_key_set();
    let other = vec![0; common::KEY_PAYLOADS[SMALL]];
    let bytes = container::write(ObjectType::EvaluationKey, &common::DIGEST, &other);
    scene
        .site
        .upload(&set, &small_key(), &bytes)
        .is(ProblemKind::BadContainer);
    let bytes = container::write(ObjectType::Query, &common::DIGEST, &other);
    scene
        .site
        .upload(&set, &small_key(), &bytes)
        .is(ProblemKind::BadContainer);
}

#[test]
fn keys_and_queries_for_other_parameters() {
    let scene = Scene::new();
    let set = scene.site.new_key_set();
    let payload = vec![SMALL as u8; common::KEY_PAYLOADS[SMALL]];
    let bytes = container::write(ObjectType::EvaluationKey, &[4; 32], &payload);
    scene
        .site
        .upload(&set, &small_key(), &bytes)
        .is(ProblemKind::WrongParameters);
    let query = container::write(ObjectType::Query, &[4; 32], &[7; common::QUERY_PAYLOAD]);
    scene
        .site
        .infer(&scene.bystander, &query)
        .is(ProblemKind::WrongParameters);
}

#[test]
fn truncated_and_damaged_queries() {
    let scene = Scene::new();
    let sound = fake_query(Behaviour::Answer);
    for length in 0..sound.len() {
        scene
            .site
            .infer(&scene.bystander, &sound[..length])
            .is(ProblemKind::BadContainer);
    }
    for bit in 0..sound.len() * 8 {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        scene
            .site
            .infer(&scene.bystander, &bytes)
            .is(ProblemKind::BadContainer);
    }
    let short = container::write(ObjectType::Query, &common::DIGEST, &[0; 3]);
    scene
        .site
        .infer(&scene.bystander, &short)
        .is(ProblemKind::BadContainer);
}

#[test]
fn inference_without_keys_or_key_set() {
    let scene = Scene::new();
    let query = fake_query(Behaviour::Answer);
    let set = scene.site.new_key_set();
    assert_eq!(
        scene
            .site
            .upload(&set, &small_key(), &fake_key(SMALL))
            .status,
        204
    );
    let problem = scene.site.infer(&set, &query).is(ProblemKind::MissingKeys);
    assert_eq!(problem.missing[..], [manifest().keys[0].name.clone()]);
    let nobody = format!("/v1/key-sets/{}", "0".repeat(32));
    scene
        .site
        .infer(&nobody, &query)
        .is(ProblemKind::UnknownKeySet);
    scene
        .site
        .infer("/v1/key-sets/zz", &query)
        .is(ProblemKind::BadAddress);
    scene
        .site
        .send("POST", "/v1/inferences", BINARY, &query)
        .is(ProblemKind::BadAddress);
}

#[test]
fn bodies_over_the_limit() {
    let scene = Scene::new();
    let set = scene.site.new_key_set();
    let path = format!("{set}/keys/{}/parts/0", manifest().keys[0].name);
    let large = vec![0; limits::PART_BYTES + 1];
    scene
        .site
        .send("PUT", &path, BINARY, &large)
        .is(ProblemKind::PayloadTooLarge);
    let mut query = fake_query(Behaviour::Answer);
    query.push(0);
    scene
        .site
        .infer(&scene.bystander, &query)
        .is(ProblemKind::PayloadTooLarge);
    let json = json!({"model": "x".repeat(limits::JSON_BYTES), "configuration": ""});
    scene
        .site
        .post_json("/v1/key-sets", &json)
        .is(ProblemKind::PayloadTooLarge);
}

#[test]
fn body_over_the_limit_without_announced_length() {
    let scene = Scene::new();
    let id = scene.bystander.rsplit('/').next().unwrap();
    let chunk = vec![0u8; 1000];
    let mut stream = TcpStream::connect(scene.site.address).unwrap();
    write!(
        stream,
        "POST /v1/inferences?key_set={id} HTTP/1.1\r\nHost: x\r\nContent-Type: {BINARY}\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .unwrap();
    for _ in 0..50 {
        write!(stream, "{:x}\r\n", chunk.len()).unwrap();
        stream.write_all(&chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("#payload-too-large"), "{answer}");
}

#[test]
fn an_enormous_announced_length_is_not_believed() {
    let scene = Scene::new();
    let path = format!("{}/keys/{}/parts/0", scene.site.new_key_set(), small_key());
    let mut stream = TcpStream::connect(scene.site.address).unwrap();
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {BINARY}\r\nConnection: close\r\n\
         Content-Length: 18446744073709551000\r\n\r\nabc"
    )
    .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
}

#[test]
fn wrong_configuration_and_unknown_model() {
    let scene = Scene::new();
    let body = json!({"model": "fake", "configuration": "0".repeat(64)});
    scene
        .site
        .post_json("/v1/key-sets", &body)
        .is(ProblemKind::RetiredConfiguration);
    let body = json!({"model": "other", "configuration": "0".repeat(64)});
    scene
        .site
        .post_json("/v1/key-sets", &body)
        .is(ProblemKind::UnknownModel);
    scene
        .site
        .get("/v1/models/other")
        .is(ProblemKind::UnknownModel);
}

#[test]
fn parts_and_keys_that_do_not_exist() {
    let scene = Scene::new();
    let set = scene.site.new_key_set();
    let name = small_key();
    let put = |path: String| scene.site.send("PUT", &path, BINARY, &fake_key(SMALL));
    put(format!("{set}/keys/{name}/parts/1")).is(ProblemKind::PartOutOfRange);
    put(format!("{set}/keys/{name}/parts/{}", usize::MAX)).is(ProblemKind::PartOutOfRange);
    put(format!("{set}/keys/{name}/parts/-1")).is(ProblemKind::BadAddress);
    put(format!("{set}/keys/{name}/parts/x")).is(ProblemKind::BadAddress);
    put(format!("{set}/keys/galois-7/parts/0")).is(ProblemKind::UnknownKey);
    put(format!("/v1/key-sets/short/keys/{name}/parts/0")).is(ProblemKind::BadAddress);
    put(format!(
        "/v1/key-sets/{}/keys/{name}/parts/0",
        "f".repeat(32)
    ))
    .is(ProblemKind::UnknownKeySet);
}

#[test]
fn a_part_that_differs_from_its_checksum() {
    let scene = Scene::new();
    let path = format!("{}/keys/{}/parts/0", scene.site.new_key_set(), small_key());
    for checksum in ["", "00", &"0".repeat(64)] {
        let headers = [("content-type", BINARY), ("x-part-blake3", checksum)];
        scene
            .site
            .send_with("PUT", &path, &headers, &fake_key(SMALL))
            .is(ProblemKind::PartChecksum);
    }
}

#[test]
fn methods_media_types_and_garbage() {
    let scene = Scene::new();
    let set = scene.site.new_key_set();
    for (method, path, allow) in [
        ("DELETE", "/v1/models", "GET"),
        ("GET", "/v1/key-sets", "POST"),
        ("PUT", set.as_str(), "GET, DELETE"),
        ("GET", "/v1/inferences", "POST"),
        ("POST", "/healthz", "GET"),
    ] {
        let answer = scene.site.send(method, path, BINARY, b"x");
        answer.is(ProblemKind::MethodNotAllowed);
        assert_eq!(answer.headers["allow"], allow);
    }
    for garbage in [
        "",
        "{",
        "[]",
        "null",
        r#"{"model":"fake"}"#,
        "\u{0}",
        r#"{"model":1,"configuration":2}"#,
    ] {
        let answer = scene.site.send(
            "POST",
            "/v1/key-sets",
            "application/json",
            garbage.as_bytes(),
        );
        answer.is(ProblemKind::BadJson);
    }
    let body = json!({"model": "fake", "configuration": manifest().configuration}).to_string();
    let answer = scene
        .site
        .send("POST", "/v1/key-sets", "text/plain", body.as_bytes());
    answer.is(ProblemKind::UnsupportedMediaType);
    let id = scene.bystander.rsplit('/').next().unwrap();
    let path = format!("/v1/inferences?key_set={id}");
    let answer = scene
        .site
        .send("POST", &path, "text/plain", &fake_query(Behaviour::Answer));
    answer.is(ProblemKind::UnsupportedMediaType);
    scene.site.get("/v1/nothing").is(ProblemKind::NotFound);
    scene.site.get("/nothing").is(ProblemKind::NotFound);
    scene
        .site
        .get(&format!("/v1/inferences/{}/result", "a".repeat(32)))
        .is(ProblemKind::UnknownInference);
}

#[test]
fn what_is_no_utf_8_is_no_text() {
    let scene = Scene::new();
    let configuration = manifest().configuration.to_string();
    let mut body = json!({"model": "fake?", "configuration": configuration})
        .to_string()
        .into_bytes();
    let place = body.iter().position(|&byte| byte == b'?').unwrap();
    for byte in [0xff, 0xc3, 0x80] {
        body[place] = byte;
        let answer = scene
            .site
            .send("POST", "/v1/key-sets", "application/json", &body);
        answer.is(ProblemKind::BadJson);
    }
    for path in [
        "/v1/models/%ff",
        "/v1/models/fake/files/%ff%fe",
        "/v1/models/fake/files/tokenizer.json%ff",
        "/v1/key-sets/%c3%28",
        "/v1/inferences/%ff/result",
    ] {
        let answer = scene.site.get(path);
        assert!(
            matches!(answer.status, 400 | 404),
            "{path} {}",
            answer.status
        );
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{path}"
        );
    }
    // Binary routes take bytes of any kind, and say what is wrong with those that are no container.
    let id = scene.bystander.rsplit('/').next().unwrap();
    let path = format!("/v1/inferences?key_set={id}");
    let answer = scene
        .site
        .send("POST", &path, BINARY, "a prompt in the clear".as_bytes());
    answer.is(ProblemKind::BadContainer);
}
