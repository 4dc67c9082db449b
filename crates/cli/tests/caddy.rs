//! The documented proxy, `deploy/Caddyfile`, between the command line and a server. Skipped, with a line, where Caddy or curl is not
//! installed.
#![cfg(unix)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use common::{Small, cipherformer, root, start, watched::Watched};

/// What Caddy says, in its folder.
const LOG: &str = "log";

const SOON: Duration = Duration::from_secs(60);

/// A running Caddy with an authority of its own. It ends with this value.
struct Caddy {
    process: Child,
    folder: tempfile::TempDir,
    address: String,
}

impl Caddy {
    /// Before the server at `address`; `None` where there is no Caddy.
    fn start(server: &str) -> Option<Self> {
        for (program, version) in [("caddy", "version"), ("curl", "--version")] {
            if Command::new(program).arg(version).output().is_err() {
                println!("caddy: SKIPPED, {program} is not installed");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let [http, https] = free_ports();
        let options = format!(
            "{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {http}\n\thttps_port {https}\n"
        );
        let text = fs::read_to_string(root().join("deploy/Caddyfile")).unwrap();
        let configuration = folder.path().join("Caddyfile");
        fs::write(&configuration, text.replacen("{\n", &options, 1)).unwrap();
        let log = fs::File::create(folder.path().join(LOG)).unwrap();
        let process = Command::new("caddy")
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(&configuration)
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("SITE", "localhost")
            .env("SERVER", server.strip_prefix("http://").unwrap())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let caddy = Self {
            process,
            folder,
            address: format!("https://localhost:{https}"),
        };
        let began = Instant::now();
        // It listens before it has a certificate for the name.
        while !caddy.curl("/healthz", &[]).contains(" 200") {
            assert!(began.elapsed() < SOON, "Caddy does not start");
            thread::sleep(Duration::from_millis(50));
        }
        Some(caddy)
    }

    /// The certificate that makes its others trusted.
    fn authority(&self) -> PathBuf {
        self.folder
            .path()
            .join("caddy/pki/authorities/local/root.crt")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cipherformer();
        command
            .args(arguments)
            .args(["--server", &self.address])
            .env_remove("SSL_CERT_DIR")
            .env("SSL_CERT_FILE", self.authority());
        command
    }

    /// What curl prints of a request with these arguments: status, then headers.
    fn curl(&self, path: &str, arguments: &[&str]) -> String {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--dump-header", "-", "--output"])
            .arg("/dev/null")
            .arg("--cacert")
            .arg(self.authority())
            .args(arguments)
            .arg(format!("{}{path}", self.address))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().to_lowercase()
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two different ones.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

#[test]
fn keys_questions_and_progress_go_through_the_proxy() {
    let small = Small::new();
    let (open, gate) = mpsc::channel();
    let server = start(vec![Watched::gated(small.engine(), gate)]);
    let Some(caddy) = Caddy::start(&server) else {
        return;
    };
    let complete = [
        "complete",
        "the",
        "--tokens",
        "1",
        "--temperature",
        "0",
        "--json",
    ];
    let mut child = caddy
        .command(&complete)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The evaluation waits for us: an event that is heard now was not held back until the stream's end.
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    let heard = notes.any(|line| {
        said.push(line.unwrap());
        said[said.len() - 1].contains("token 1 of 1")
    });
    assert!(heard, "nothing was heard of the evaluation: {said:#?}");
    open.send(()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", notes.last());

    open.send(()).unwrap();
    let direct = cipherformer()
        .args(complete)
        .args(["--server", &server])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| {
        let said: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        said["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(text(&output.stdout), text(&direct.stdout));
}

#[test]
fn the_proxy_keeps_what_it_should_and_passes_the_rest() {
    let server = start(vec![Small::new().engine()]);
    let Some(caddy) = Caddy::start(&server) else {
        return;
    };
    let answer = caddy.curl("/v1/models", &[]);
    assert!(answer.starts_with("http/2 200"), "{answer}");
    for header in [
        "strict-transport-security",
        "content-security-policy",
        "cross-origin-opener-policy",
        "x-content-type-options",
        "referrer-policy",
    ] {
        assert_eq!(
            answer.matches(&format!("\n{header}: ")).count(),
            1,
            "{answer}"
        );
    }
    assert!(caddy.curl("/metrics", &[]).starts_with("http/2 404"));
    let encoded = "\ncontent-encoding: ";
    let compressed = |path: &str| caddy.curl(path, &["--compressed"]).contains(encoded);
    assert!(compressed("/openapi.json") && !compressed("/v1/models"));

    // A part of a key fits; it names nobody's set.
    let set = format!("/v1/key-sets/{}/keys/x/parts/0", "0".repeat(32));
    let body = caddy.folder.path().join("body");
    // Of a body that it cuts off Caddy 2.6 says 502, or ends the stream without a word.
    for (bytes, passes) in [(8 << 20, true), (10 << 20, false)] {
        fs::write(&body, vec![0u8; bytes]).unwrap();
        let data = format!("@{}", body.display());
        let media = "content-type: application/octet-stream";
        let arguments = [
            "--request",
            "PUT",
            "--header",
            media,
            "--data-binary",
            &data,
        ];
        let answer = caddy.curl(&set, &arguments);
        assert_eq!(answer.contains("http/2 404"), passes, "{bytes}: {answer}");
        assert!(!answer.contains("http/2 2"), "{bytes}: {answer}");
    }
    // Paths are capabilities, and errors would quote them.
    let log =
        String::from_utf8_lossy(&fs::read(caddy.folder.path().join(LOG)).unwrap()).into_owned();
    assert!(log.contains("serving initial configuration"), "{log}");
    assert!(!log.contains("key-sets"), "{log}");
}
