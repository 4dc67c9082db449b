//! Servers that are killed, told to end, or started over other models: finished keys are there, nothing corrupt is served.
#![cfg(unix)]

mod common;

use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use common::{
    BINARY, Behaviour, fake_key, manifest,
    process::{Process, Start},
};
use protocol::{limits, problem::ProblemKind};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn start(&self) -> Process {
        self.start_with(&[])
    }

    fn start_with(&self, flags: &[&str]) -> Process {
        Start {
            keys: Some(self.0.path()),
            flags,
            ..Start::default()
        }
        .run()
    }

    /// Everything stored, without the server's lock.
    fn files(&self) -> Vec<PathBuf> {
        let sets = folder(self.0.path())
            .into_iter()
            .filter(|path| path.is_dir());
        sets.flat_map(|set| folder(&set)).collect()
    }

    fn file(&self, end: &str) -> PathBuf {
        let mut files = self.files();
        files.retain(|file| file.to_str().unwrap().ends_with(end));
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

fn folder(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn name(key: usize) -> String {
    manifest().keys[key].name.clone()
}

#[test]
fn killed_in_the_middle_of_an_upload() {
    let folder = Folder::new();
    let server = folder.start();
    let set = server.site.new_key_set();
    assert_eq!(server.site.upload(&set, &name(1), &fake_key(1)).status, 204);
    let large = fake_key(0);
    let (head, tail) = large.split_at(limits::PART_BYTES);
    let part = |part: usize| format!("{set}/keys/{}/parts/{part}", name(0));
    assert_eq!(server.site.send("PUT", &part(1), BINARY, tail).status, 204);
    let mut stream = TcpStream::connect(server.site.address).unwrap();
    write!(
        stream,
        "PUT {} HTTP/1.1\r\nHost: x\r\nContent-Type: {BINARY}\r\nContent-Length: {}\r\n\r\n",
        part(0),
        head.len()
    )
    .unwrap();
    stream.write_all(&head[..head.len() / 2]).unwrap();
    server.kill();

    let server = folder.start();
    assert_eq!(server.site.missing(&set), [name(0)]);
    server
        .site
        .infer(&set, &common::fake_query(Behaviour::Answer))
        .is(ProblemKind::MissingKeys);
    assert_eq!(server.site.upload(&set, &name(0), &large).status, 204);
    server.site.answers(&set);
}

#[test]
fn killed_at_any_moment_of_storing() {
    let folder = Folder::new();
    let mut sets = Vec::new();
    for round in 0..6 {
        let server = folder.start();
        let set = server.site.new_key_set();
        let address = server.site.address;
        let uploads = thread::spawn({
            let set = set.clone();
            move || {
                let agent = ureq::agent();
                for (key, container) in [(0, fake_key(0)), (1, fake_key(1))] {
                    for (part, bytes) in container.chunks(limits::PART_BYTES).enumerate() {
                        let url = format!("http://{address}{set}/keys/{}/parts/{part}", name(key));
                        if agent.put(url).content_type(BINARY).send(bytes).is_err() {
                            return;
                        }
                    }
                }
            }
        });
        thread::sleep(Duration::from_millis(10 + 12 * round));
        server.kill();
        uploads.join().unwrap();
        sets.push(set);
    }
    let server = folder.start();
    assert!(
        folder
            .files()
            .iter()
            .all(|file| !file.to_str().unwrap().contains('#')),
        "{:?}",
        folder.files()
    );
    for set in &sets {
        for key in server.site.missing(set) {
            let key = manifest()
                .keys
                .iter()
                .position(|entry| entry.name == key)
                .unwrap();
            assert_eq!(
                server.site.upload(set, &name(key), &fake_key(key)).status,
                204
            );
        }
        server.site.answers(set);
    }
}

#[test]
fn killed_in_the_middle_of_an_inference() {
    let folder = Folder::new();
    let server = folder.start();
    let set = server.site.complete_key_set();
    let job = server.site.job(&set, Behaviour::Crawl);
    while server.site.get(&format!("{job}/result")).json()["layer"] != "layer" {}
    server.kill();

    let server = folder.start();
    server
        .site
        .get(&format!("{job}/result"))
        .is(ProblemKind::UnknownInference);
    assert!(server.site.missing(&set).is_empty());
    server.site.answers(&set);
}

#[test]
fn what_was_damaged_on_the_disk_is_asked_for_again() {
    let folder = Folder::new();
    let server = folder.start();
    let set = server.site.complete_key_set();
    drop(server);
    let flipped = folder.file(&format!("{}.key", name(0)));
    let mut bytes = fs::read(&flipped).unwrap();
    bytes[1000] ^= 1;
    fs::write(&flipped, &bytes).unwrap();
    let cut = folder.file(&format!("{}.key", name(1)));
    fs::File::options()
        .write(true)
        .open(&cut)
        .unwrap()
        .set_len(100)
        .unwrap();

    let server = folder.start();
    assert_eq!(server.site.missing(&set), [name(1)]);
    assert_eq!(server.site.upload(&set, &name(1), &fake_key(1)).status, 204);
    let job = server.site.job(&set, Behaviour::Answer);
    let problem = server.site.outcome(&job).is(ProblemKind::MissingKeys);
    assert_eq!(problem.missing[..], [name(0)]);
    assert!(!flipped.exists());
    assert_eq!(server.site.upload(&set, &name(0), &fake_key(0)).status, 204);
    server.site.answers(&set);
}

#[test]
fn told_to_end_it_finishes_what_runs_and_keeps_the_keys() {
    let folder = Folder::new();
    let server = folder.start();
    let set = server.site.complete_key_set();
    let (first, second) = (
        server.site.job(&set, Behaviour::Answer),
        server.site.job(&set, Behaviour::Answer),
    );
    server.terminate();
    assert_eq!(server.site.outcome(&first).status, 200);
    server
        .site
        .infer(&set, &common::fake_query(Behaviour::Answer))
        .is(ProblemKind::ShuttingDown);
    server.site.get("/readyz").is(ProblemKind::ShuttingDown);
    assert_eq!(server.site.outcome(&second).status, 200);
    let (status, log) = server.wait();
    assert!(status.success(), "{log}");
    assert!(
        log.contains("shutting down") && log.contains("ended"),
        "{log}"
    );
    folder.start().site.answers(&set);
}

#[test]
fn told_to_end_it_does_not_wait_for_ever() {
    let folder = Folder::new();
    let server = folder.start_with(&["--grace", "200ms"]);
    let set = server.site.complete_key_set();
    let _endless = server.site.job(&set, Behaviour::Crawl);
    server.terminate();
    assert!(server.wait().0.success());
    folder.start().site.answers(&set);
}

#[test]
fn a_new_configuration_retires_the_keys_of_the_old_one() {
    let folder = Folder::new();
    let other = || {
        let start = Start {
            keys: Some(folder.0.path()),
            configuration: Some("ab".repeat(32)),
            ..Start::default()
        };
        start.run()
    };
    let server = folder.start();
    let (kept, deleted) = (
        server.site.complete_key_set(),
        server.site.complete_key_set(),
    );
    drop(server);

    let server = other();
    server.site.get(&kept).is(ProblemKind::RetiredConfiguration);
    server
        .site
        .infer(&kept, &common::fake_query(Behaviour::Answer))
        .is(ProblemKind::RetiredConfiguration);
    server
        .site
        .upload(&kept, &name(1), &fake_key(1))
        .is(ProblemKind::RetiredConfiguration);
    assert_eq!(server.site.delete(&deleted).status, 204);
    server.site.get(&deleted).is(ProblemKind::UnknownKeySet);
    drop(server);

    let server = folder.start();
    server.site.answers(&kept);
    server.site.get(&deleted).is(ProblemKind::UnknownKeySet);
}

#[test]
fn deleted_and_expired_sets_leave_nothing_on_the_disk() {
    let folder = Folder::new();
    let server = folder.start();
    let (deleted, expired) = (
        server.site.complete_key_set(),
        server.site.complete_key_set(),
    );
    assert_eq!(folder.files().len(), 6);
    assert_eq!(server.site.delete(&deleted).status, 204);
    assert_eq!(folder.files().len(), 3);
    server.site.delete(&deleted).is(ProblemKind::UnknownKeySet);
    drop(server);

    // The sweep runs once at the start.
    let server = folder.start_with(&["--key-expiry", "1ms"]);
    for _ in 0..200 {
        if folder.files().is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
    server.site.get(&expired).is(ProblemKind::UnknownKeySet);
}

#[test]
fn who_reads_the_folder_cannot_use_the_keys() {
    let folder = Folder::new();
    let server = folder.start();
    let set = server.site.complete_key_set();
    let id = set.rsplit('/').next().unwrap();
    for file in folder.files() {
        assert!(!file.to_str().unwrap().contains(id));
        let bytes = fs::read(&file).unwrap();
        assert!(
            !bytes
                .windows(id.len())
                .any(|window| window == id.as_bytes()),
            "{}",
            file.display()
        );
        let raw: Vec<_> = (0..16)
            .map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        assert!(
            !bytes.windows(16).any(|window| window == raw),
            "{}",
            file.display()
        );
    }
    let stored = folder.file("set.json");
    let name = stored
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap();
    server
        .site
        .get(&format!("/v1/key-sets/{name}"))
        .is(ProblemKind::BadAddress);
    server
        .site
        .get(&format!("/v1/key-sets/{}", &name[..32]))
        .is(ProblemKind::UnknownKeySet);
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let folder = Folder::new();
    let _server = folder.start();
    let second = std::panic::catch_unwind(|| folder.start());
    assert!(second.is_err());
}
