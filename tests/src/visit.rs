//! A person's visit: the real server, a proxy that records what leaves the browser, and the page in real Chromium.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use client::{Seed, Session};

use crate::chromium::Chromium;
use crate::http;
use crate::proxy::{Proxy, Recorded};
use crate::scan::Scanner;
use crate::server::Server;

/// What a step of a test may end with.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// As long as the slowest machine may take for keys, upload and computation.
pub const WORK: Duration = Duration::from_secs(600);
/// As long as anything else may take.
pub const SOON: Duration = Duration::from_secs(30);
/// A secret that no ciphertext holds by chance.
pub const SEED: [u8; 32] = *b"the seed that must stay at home!";

/// A visit in progress. Everything that it started ends with it.
#[derive(Debug)]
pub struct Visit {
    /// The page.
    pub page: Chromium,
    /// Every request of the page.
    pub proxy: Proxy,
    /// What the page talks to.
    pub server: Server,
}

impl Visit {
    /// Opens the page, whose secret keys all come from [`SEED`], at `fragment`.
    pub fn start(fragment: &str) -> Outcome<Self> {
        Self::start_in(fragment, &[], "")
    }

    /// As [`Visit::start`], in a browser with more command line flags, where `script` runs before the page's own.
    pub fn start_in(fragment: &str, flags: &[&str], script: &str) -> Outcome<Self> {
        Self::with_server(Server::start()?, fragment, flags, script)
    }

    /// As [`Visit::start`], with the page in the folder `web`.
    pub fn start_serving(web: &Path) -> Outcome<Self> {
        Self::with_server(Server::serving(web)?, "", &[], "")
    }

    fn with_server(server: Server, fragment: &str, flags: &[&str], script: &str) -> Outcome<Self> {
        let proxy = Proxy::start(server.address())?;
        let mut page = Chromium::start_with(proxy.address(), flags)?;
        let seed = format!("globalThis.cipherformerTestSeed = new Uint8Array({SEED:?}); {script}");
        page.open(&format!("http://{}/{fragment}", server.address()), &seed)?;
        Ok(Self {
            page,
            proxy,
            server,
        })
    }

    /// The clients' half of `model`, with the secret key that the page has.
    pub fn session(&self, model: &str) -> Outcome<Session> {
        let manifest = http::get(self.server.address(), &format!("/v1/models/{model}"))?;
        Ok(Session::from_json(&manifest, Seed::from_bytes(SEED))?)
    }

    /// Bytes of the page's WebAssembly memory, as `selector`'s element tells them.
    pub fn memory(&mut self, selector: &str) -> Outcome<u64> {
        let memory = self.page.evaluate(&format!(
            "Number(document.querySelector('{selector}').dataset.memory)"
        ))?;
        Ok(memory
            .as_u64()
            .ok_or("the page does not say how much memory it took")?)
    }

    /// Fails unless the requests are whole and the keys in them those of [`SEED`]: otherwise a page that ignored the
    /// injected seed would pass the search for it.
    pub fn assert_recorded(&self, model: &str, queries: usize) -> Outcome<()> {
        let session = self.session(model)?;
        let manifest = session.manifest();
        let recorded = self.proxy.recorded();
        let name = &manifest.keys.first().ok_or("the model needs no keys")?.name;
        let part = format!("/keys/{name}/parts/");
        let sent: Vec<u8> = recorded
            .iter()
            .filter(|request| request.line.starts_with("PUT ") && request.line.contains(&part))
            .flat_map(|request| request.body.iter().copied())
            .collect();
        assert!(
            sent == session.key(0)?,
            "the key {name} that the browser sent is not the one that the seed makes"
        );
        let total: usize = recorded
            .iter()
            .filter(|request| request.line.starts_with("PUT "))
            .map(|request| request.body.len())
            .sum();
        assert_eq!(
            u64::try_from(total)?,
            manifest.evaluation_key_bytes,
            "keys were sent once, and recorded whole"
        );
        let lengths: Vec<usize> = recorded
            .iter()
            .filter(|request| is_query(request))
            .map(|request| request.body.len())
            .collect();
        assert_eq!(
            lengths,
            vec![usize::try_from(manifest.query.bytes)?; queries],
            "every query was recorded whole"
        );
        Ok(())
    }

    /// Fails when a request holds something that `scanner` looks for, or was meant for another host.
    pub fn assert_nothing_left(&self, scanner: &Scanner) {
        let own = self.server.address().to_string();
        for request in self.proxy.recorded() {
            assert_eq!(request.host, own, "in {}", request.line);
            let bytes = [&request.head[..], &request.body[..]].concat();
            let found = scanner.find(&bytes);
            assert_eq!(found, Vec::<String>::new(), "in {}", request.line);
        }
    }

    /// Fails unless `scanner` finds each of the `hidden` secrets when it lies in the middle of a request that was sent.
    pub fn assert_scanner_sees(&self, scanner: &Scanner, hidden: &[(&str, Vec<u8>)]) {
        let recorded = self.proxy.recorded();
        let largest = recorded
            .iter()
            .map(|request| &request.body)
            .max_by_key(|body| body.len())
            .cloned()
            .unwrap_or_default();
        for (name, secret) in hidden {
            let mut body = largest.clone();
            let at = body.len() / 3;
            body.splice(at..at + secret.len(), secret.iter().copied());
            assert!(!scanner.find(&body).is_empty(), "{name} was not found");
        }
    }
}

/// A scanner for [`SEED`], whole and in part.
pub fn scanner_for_seed() -> Scanner {
    let mut scanner = Scanner::new();
    scanner.add_whole("the seed", &SEED);
    scanner.add_text_and_windows("the seed in part", &SEED, 16);
    scanner
}

/// Something is read, and nothing is said but its address.
pub fn is_read(request: &Recorded) -> bool {
    request.line.starts_with("GET ") && request.body.is_empty()
}

/// A part of an evaluation key: the key's name.
pub fn key_of(request: &Recorded) -> Option<&str> {
    if !request.line.starts_with("PUT ") {
        return None;
    }
    let (_, rest) = request.line.split_once("/keys/")?;
    rest.split('/').next()
}

/// WebAssembly may take as much in all.
pub const MEMORY: u64 = 256 << 20;

/// A sealed question.
pub fn is_query(request: &Recorded) -> bool {
    request.line.starts_with("POST ") && request.line.contains("/v1/inferences")
}

/// The request lines.
pub fn lines(recorded: &[Recorded]) -> Vec<&str> {
    recorded
        .iter()
        .map(|request| request.line.as_str())
        .collect()
}
