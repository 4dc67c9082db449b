//! Full disks, slow and dead connections, crowds, and ten thousand requests that make no sense.
#![cfg(unix)]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    thread,
    time::Duration,
};

use common::{BINARY, Behaviour, Site, fake_key, fake_query, manifest, process::Start};
use protocol::{limits, problem::ProblemKind};

#[test]
fn a_full_disk_is_said_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let limited = |file_limit| {
        let start = Start {
            keys: Some(folder.path()),
            file_limit,
            ..Start::default()
        };
        start.run()
    };
    let names: Vec<_> = manifest().keys.into_iter().map(|key| key.name).collect();
    // The large key takes 8 MiB, the small one 1 KiB.
    let server = limited(Some(2048));
    let set = server.site.new_key_set();
    assert_eq!(
        server.site.upload(&set, &names[1], &fake_key(1)).status,
        204
    );
    for _ in 0..2 {
        server
            .site
            .upload(&set, &names[0], &fake_key(0))
            .is(ProblemKind::DiskFull);
        assert_eq!(server.site.missing(&set), [names[0].clone()]);
    }
    let stored = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir());
    let mut files: Vec<_> = fs::read_dir(stored.unwrap())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, [&*format!("{}.key", names[1]), "set.json"]);
    drop(server);

    let server = limited(None);
    assert_eq!(server.site.missing(&set), [names[0].clone()]);
    assert_eq!(
        server.site.upload(&set, &names[0], &fake_key(0)).status,
        204
    );
    server.site.answers(&set);
}

#[test]
fn the_quota_of_the_disk_removes_who_is_away_and_refuses_before_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start {
        keys: Some(folder.path()),
        // One set takes a little more than 8 MiB.
        flags: &["--key-disk", "12"],
        ..Start::default()
    };
    let server = start.run();
    let old = server.site.complete_key_set();
    let long = server.site.job(&old, Behaviour::Crawl);
    let new = server.site.new_key_set();
    let name = &manifest().keys[0].name;
    server
        .site
        .upload(&new, name, &fake_key(0))
        .is(ProblemKind::KeyStoreFull);
    assert_eq!(server.site.delete(&long).status, 204);
    server.site.outcome(&long).is(ProblemKind::Cancelled);
    assert_eq!(server.site.upload(&new, name, &fake_key(0)).status, 204);
    server.site.get(&old).is(ProblemKind::UnknownKeySet);
}

/// Whether the server closed the connection without an answer of success.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_secs(8)))
        .unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => !answer.starts_with(b"HTTP/1.1 2"),
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn slow_and_half_open_connections_are_closed_and_hold_up_nobody() {
    let server = Start::default().run();
    let set = server.site.complete_key_set();
    let id = set.rsplit('/').next().unwrap();
    let open = |text: &str| {
        let mut stream = TcpStream::connect(server.site.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let head = format!("Host: x\r\nContent-Type: {BINARY}\r\nContent-Length: 1000\r\n\r\n");
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(open(""));
        streams.push(open("GET /v1/mod"));
        streams.push(open("GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Slow: "));
        streams.push(open(&format!(
            "PUT {set}/keys/{}/parts/0 HTTP/1.1\r\n{head}abc",
            manifest().keys[1].name
        )));
        streams.push(open(&format!(
            "POST /v1/inferences?key_set={id} HTTP/1.1\r\n{head}abc"
        )));
    }
    // Each sends a byte from time to time, as a slow loris does, until the server has had enough.
    let lorises = thread::spawn(move || {
        for _ in 0..4 {
            for stream in &mut streams {
                let _ = stream.write_all(b"x");
            }
            thread::sleep(Duration::from_millis(300));
        }
        streams
    });
    server.site.answers(&set);
    for mut stream in lorises.join().unwrap() {
        assert!(is_closed(&mut stream));
    }
    server.site.answers(&set);
}

#[test]
fn fifty_clients_at_once_are_answered_or_refused_within_bounds() {
    // Prepared, the keys of a client take 16 MiB, so seven have room in memory and the others come from the store.
    let folder = tempfile::tempdir().unwrap();
    let start = Start {
        keys: Some(folder.path()),
        flags: &["--key-memory", "200", "--queue", "8"],
        ..Start::default()
    };
    let server = start.run();
    let before = server.memory();
    let client = || {
        let site = Site::at(server.site.address);
        let set = site.new_key_set();
        // Parts of a key that rests may be forgotten for others' sake: a client asks what is missing until nothing is.
        loop {
            let missing = site.missing(&set);
            if missing.is_empty() {
                break;
            }
            let manifest = manifest();
            let keys = manifest.keys.iter().enumerate();
            for (key, entry) in keys.filter(|(_, entry)| missing.contains(&entry.name)) {
                for (part, bytes) in fake_key(key).chunks(limits::PART_BYTES).enumerate() {
                    let path = format!("{set}/keys/{}/parts/{part}", entry.name);
                    until_there_is_room(|| site.send("PUT", &path, BINARY, bytes), 204);
                }
            }
        }
        let answer = until_there_is_room(|| site.infer(&set, &fake_query(Behaviour::Answer)), 202);
        let job = answer.headers["location"].to_str().unwrap().to_owned();
        loop {
            let answer = site.get(&format!("{job}/result"));
            match answer.status {
                202 => thread::sleep(Duration::from_millis(50)),
                200 => return,
                status => panic!("{status} {}", String::from_utf8_lossy(&answer.body)),
            }
        }
    };
    let peak = thread::scope(|scope| {
        let clients: Vec<_> = (0..50).map(|_| scope.spawn(client)).collect();
        let mut peak = 0;
        while clients.iter().any(|client| !client.is_finished()) {
            peak = peak.max(server.memory());
            thread::sleep(Duration::from_millis(20));
        }
        for client in clients {
            client.join().unwrap();
        }
        peak
    });
    // Beside the quota: 50 bodies of up to 8 MiB are refused unread, but drained piece by piece, and a key is joined and read once.
    assert!(peak - before < 300 << 10, "{before} {peak}");
}

/// Repeats a request for as long as the server says that it has no room now.
fn until_there_is_room(send: impl Fn() -> common::Answer, expected: u16) -> common::Answer {
    for _ in 0..1000 {
        let answer = send();
        if answer.status == expected {
            return answer;
        }
        assert!(
            matches!(answer.status, 429 | 503),
            "{} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        assert!(answer.headers.contains_key("retry-after"));
        thread::sleep(Duration::from_millis(50));
    }
    panic!("there never is room");
}

#[test]
fn a_replayed_part_changes_nothing() {
    let server = Start::default().run();
    let set = server.site.complete_key_set();
    let path = format!("{set}/keys/{}/parts/0", manifest().keys[1].name);
    let sound = fake_key(1);
    let mut other = sound.clone();
    other[100] ^= 1;
    for bytes in [&sound, &other] {
        assert_eq!(server.site.send("PUT", &path, BINARY, bytes).status, 204);
        assert!(server.site.missing(&set).is_empty());
    }
    let headers = [("content-type", BINARY), ("x-part-blake3", &"0".repeat(64))];
    server
        .site
        .send_with("PUT", &path, &headers, &sound)
        .is(ProblemKind::PartChecksum);
    server.site.answers(&set);
}

/// Ten thousand bodies, from the files that the fuzzers start from, changed and sent wherever a body goes.
#[test]
fn ten_thousand_malformed_requests() {
    let server = Start::default().run();
    let set = server.site.complete_key_set();
    let id = set.rsplit('/').next().unwrap();
    let empty = server.site.new_key_set();
    let corpus = corpus();
    assert!(corpus.len() > 20, "the corpus was not found");
    let name = &manifest().keys[1].name;
    let routes = [
        ("POST", "/v1/key-sets".to_owned(), "application/json"),
        ("POST", "/v1/key-sets".to_owned(), BINARY),
        ("PUT", format!("{empty}/keys/{name}/parts/0"), BINARY),
        ("PUT", format!("{empty}/keys/{name}/parts/1"), BINARY),
        ("POST", format!("/v1/inferences?key_set={id}"), BINARY),
        (
            "POST",
            format!("/v1/inferences?key_set={id}x"),
            "application/json",
        ),
        ("DELETE", "/v1/models/fake".to_owned(), BINARY),
    ];
    let send = |count: u32, seed: u64| {
        let site = Site::at(server.site.address);
        let mut random = seed;
        for _ in 0..count {
            let body = changed(&corpus, &mut random);
            let (method, path, media) = &routes[below(&mut random, routes.len())];
            let status = site.send(method, path, media, &body).status;
            assert!((400..500).contains(&status), "{method} {path} {status}");
        }
    };
    let crowd = |count: u32, seed: u64| {
        thread::scope(|scope| {
            (0..8).for_each(|client| drop(scope.spawn(move || send(count, seed + client))))
        });
    };
    // Buffers of the allocator and of connections have their size after the first thousand.
    crowd(125, 1);
    let before = server.memory();
    crowd(1125, 1000);
    raw_heads(&server.site, &corpus);
    let after = server.memory();
    assert!(after < before + (32 << 10), "{before} {after}");
    assert_eq!(server.site.missing(&empty).len(), 2);
    server.site.answers(&set);
}

fn changed(corpus: &[Vec<u8>], random: &mut u64) -> Vec<u8> {
    let mut body = corpus[below(random, corpus.len())].clone();
    for _ in 0..below(random, 4) {
        if body.is_empty() {
            break;
        }
        let at = below(random, body.len());
        match below(random, 4) {
            0 => body.truncate(at),
            1 => body.insert(at, below(random, 256) as u8),
            _ => body[at] ^= 1 << below(random, 8),
        }
    }
    body
}

// xorshift64: the same requests on every machine.
fn below(random: &mut u64, bound: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random >> 16) as usize % bound
}

/// The same bytes where a head is expected.
fn raw_heads(site: &Site, corpus: &[Vec<u8>]) {
    for bytes in corpus {
        let mut stream = TcpStream::connect(site.address).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers/corpus");
    let readers = fs::read_dir(folder)
        .unwrap()
        .map(|reader| reader.unwrap().path());
    let files = readers.flat_map(|reader| {
        fs::read_dir(reader)
            .unwrap()
            .map(|file| file.unwrap().path())
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}
