//! The server in a process of its own, which can be killed. This test program starts itself again as that server.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use clap::Parser;
use native_server::{Patience, config::Arguments, engine::Engine, serve, telemetry};

use super::{Fake, Site, manifest};

const FLAGS: &str = "CIPHERFORMER_TEST_FLAGS";
const CONFIGURATION: &str = "CIPHERFORMER_TEST_CONFIGURATION";
const READY: &str = "ready ";

/// What the program does that [`Start::run`] started; nothing when somebody else did.
#[test]
#[ignore = "the other tests start it"]
fn the_server_in_its_process() {
    let Ok(flags) = env::var(FLAGS) else {
        return;
    };
    let config = Arguments::parse_from(["server"].into_iter().chain(flags.lines()))
        .resolve()
        .unwrap();
    telemetry::begin(config.log, config.log_format);
    let mut settings = config.settings;
    settings.patience = Patience {
        head: Duration::from_secs(1),
        silence: Duration::from_secs(1),
        body: Duration::from_secs(5),
        idle: Duration::from_secs(5),
    };
    settings.keys.grace = Duration::ZERO;
    let mut manifest = manifest();
    if let Ok(configuration) = env::var(CONFIGURATION) {
        manifest.configuration = configuration.parse().unwrap();
    }
    let models: Vec<Arc<dyn Engine>> = vec![Arc::new(Fake(manifest))];
    actix_web::rt::System::new().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, server) = serve(listener, models, settings).unwrap();
        // The test harness has begun a line.
        println!("\n{READY}{address}");
        server.await.unwrap();
    });
}

/// How to start a server.
#[derive(Clone, Default)]
pub struct Start<'a> {
    /// Folder of keys.
    pub keys: Option<&'a Path>,
    /// Another place for keys.
    pub store: Option<String>,
    /// Further flags.
    pub flags: &'a [&'a str],
    /// Another key configuration than the fake model's.
    pub configuration: Option<String>,
    /// Largest file that it may write, in KiB.
    pub file_limit: Option<u32>,
}

/// A running server. It is killed with this value.
pub struct Process {
    child: Child,
    log: Option<JoinHandle<String>>,
    /// A client for it.
    pub site: Site,
}

impl Start<'_> {
    /// Starts it and waits until it listens.
    pub fn run(&self) -> Process {
        let folder = self.keys.map(|folder| folder.display().to_string());
        let place = self.store.clone().or(folder);
        let keys = place.unwrap_or_else(|| "memory:///".to_owned());
        let mut flags = vec![
            "--requests-per-second",
            "0",
            "--key-sets-per-minute",
            "0",
            "--key-store",
            &keys,
        ];
        flags.extend(self.flags);
        let program = env::current_exe().unwrap();
        let mut command = Command::new("sh");
        // The signal for too large a file would end the process; as an error of the write it is what a full disk is.
        let limit = self.file_limit.map_or(String::new(), |limit| {
            format!("trap '' XFSZ; ulimit -f {};", 2 * limit)
        });
        command
            .args(["-c", &format!("{limit} exec \"$0\" \"$@\"")])
            .arg(program);
        command.args([
            "--exact",
            "common::process::the_server_in_its_process",
            "--include-ignored",
            "--nocapture",
            "--test-threads=1",
        ]);
        command.env(FLAGS, flags.join("\n"));
        if let Some(configuration) = &self.configuration {
            command.env(CONFIGURATION, configuration);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line.strip_prefix(READY) {
                    let _ = sender.send(address.to_owned());
                }
            }
        });
        let address = receiver
            .recv()
            .unwrap_or_else(|_| panic!("the server does not start"));
        Process {
            child,
            log: Some(log),
            site: Site::at(address.parse().unwrap()),
        }
    }
}

impl Process {
    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end.
    pub fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended; returns how, and what it logged.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// Memory that it occupies, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
