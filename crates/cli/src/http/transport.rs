//! Requests and answers over HTTP or HTTPS: timeouts, and what is sent again when it fails.

use std::{
    io::ErrorKind,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use protocol::problem::{MEDIA_TYPE, Problem};
use ureq::{
    Agent, Body, Proxy,
    http::{Request, Response, Uri},
    tls::{RootCerts, TlsConfig},
};

use crate::{CliError, Stop};

/// Longest error that is read.
const SMALL: u64 = 1 << 16;

/// Times that a request is sent at most.
const ATTEMPTS: u32 = 5;

/// First wait before a request is sent again; every further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whether a request may be sent again when nobody knows whether it arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Sent twice it does what it does once.
    Safe,
    /// Sent twice it would do its work twice.
    Never,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// Media type of the body and the body.
    pub(super) body: Option<(&'static str, &'a [u8])>,
    /// BLAKE3 of the body, where the route takes it.
    pub(super) checksum: Option<String>,
    pub(super) repeat: Repeat,
    /// Longest answer that is read.
    pub(super) limit: u64,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// A failure, and when another attempt makes sense.
struct Failure {
    error: CliError,
    again: Option<Again>,
}

enum Again {
    /// The server did nothing and says so.
    Refused(Option<Duration>),
    /// The request or the answer was lost.
    Lost,
}

/// A server and the connections to it.
#[derive(Clone)]
pub(super) struct Transport {
    server: String,
    agent: Agent,
    stop: Stop,
    /// A server that never answered is reported at once: its address is more likely wrong than its network.
    answered: Arc<AtomicBool>,
}

impl Transport {
    pub(super) fn new(server: &str, stop: &Stop) -> Self {
        // Certificates are those of the system; SSL_CERT_FILE names others.
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let proxy = if is_local(server) {
            None
        } else {
            Proxy::try_from_env()
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .tls_config(tls)
            .timeout_connect(Some(Duration::from_secs(10)))
            // A key is checked and prepared before the answer to its last part.
            .timeout_recv_response(Some(Duration::from_secs(60)))
            // The server says something at least every five seconds while it computes.
            .timeout_per_read(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(60)))
            .build()
            .into();
        Self {
            server: server.to_owned(),
            agent,
            stop: stop.clone(),
            answered: Arc::default(),
        }
    }

    /// Sends a request, again where that makes sense, and reads the answer.
    pub(super) fn send(&self, ask: &Ask<'_>) -> Result<Answer, CliError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            let failure = match self.attempt(ask) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let pause = match failure.again {
                Some(Again::Refused(asked)) => asked.unwrap_or(wait).min(LONGEST_WAIT),
                Some(Again::Lost) if ask.repeat == Repeat::Safe => wait,
                _ => return Err(failure.error),
            };
            if !self.answered.load(Ordering::Relaxed) || self.stop.pause(pause).is_err() {
                return Err(failure.error);
            }
            wait *= 2;
        }
        self.attempt(ask).map_err(|failure| failure.error)
    }

    /// Sends a request without a body once; the caller reads the answer.
    pub(super) fn open(&self, path: &str) -> Result<Response<Body>, CliError> {
        let ask = Ask {
            method: "GET",
            path: path.to_owned(),
            body: None,
            checksum: None,
            repeat: Repeat::Safe,
            limit: 0,
        };
        self.run(&ask).map_err(|failure| failure.error)
    }

    fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let response = self.run(ask)?;
        let status = response.status().as_u16();
        let body = self.read(response, ask.limit)?;
        Ok(Answer { status, body })
    }

    fn run(&self, ask: &Ask<'_>) -> Result<Response<Body>, Failure> {
        let address = format!("{}{}", self.server, ask.path);
        let mut request = Request::builder().method(ask.method).uri(address);
        if let Some((media, _)) = ask.body {
            request = request.header("content-type", media);
        }
        if let Some(checksum) = &ask.checksum {
            request = request.header("x-part-blake3", checksum);
        }
        let outcome = match ask.body {
            None => self.agent.run(request.body(()).map_err(unusable)?),
            Some((_, body)) => self.agent.run(request.body(body).map_err(unusable)?),
        };
        let response = outcome.map_err(|error| self.lost(error))?;
        self.answered.store(true, Ordering::Relaxed);
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response))
    }

    fn refusal(&self, response: Response<Body>) -> Failure {
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let asked = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let described = header("content-type") == Some(MEDIA_TYPE);
        let again = match status {
            429 | 503 => Some(Again::Refused(asked.map(Duration::from_secs))),
            408 | 502 | 504 => Some(Again::Lost),
            _ => None,
        };
        let problem = || {
            let body = self.read(response, SMALL).ok()?;
            serde_json::from_slice::<Problem>(&body).ok()
        };
        let problem = if described { problem() } else { None };
        let error = problem.map_or(CliError::Status(status), |problem| {
            CliError::Refused(Box::new(problem))
        });
        Failure { error, again }
    }

    fn read(&self, response: Response<Body>, limit: u64) -> Result<Vec<u8>, Failure> {
        // ureq refuses a body that reaches its limit, we one that exceeds it.
        let body = response
            .into_body()
            .into_with_config()
            .limit(limit.saturating_add(1))
            .read_to_vec();
        body.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => Failure {
                error: CliError::Protocol(error.to_string()),
                again: None,
            },
            error => self.lost(error),
        })
    }

    fn lost(&self, error: ureq::Error) -> Failure {
        use ureq::Error;
        let again = match &error {
            Error::Timeout(_) | Error::ConnectionFailed => Some(Again::Lost),
            // What TLS refuses is refused again.
            Error::Io(error) if error.kind() != ErrorKind::InvalidData => Some(Again::Lost),
            _ => None,
        };
        let error = match error {
            Error::Http(_) | Error::BadUri(_) => CliError::Address(error.to_string()),
            error => CliError::Unreachable {
                server: self.server.clone(),
                source: Box::new(error),
            },
        };
        Failure { error, again }
    }
}

fn unusable(error: ureq::http::Error) -> Failure {
    Failure {
        error: CliError::Address(error.to_string()),
        again: None,
    }
}

/// Whether an address is this machine's own.
pub(super) fn is_local(server: &str) -> bool {
    let uri = server.parse::<Uri>().ok();
    let Some(host) = uri.as_ref().and_then(Uri::host) else {
        return false;
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine() {
        for address in [
            "http://localhost",
            "http://127.0.0.1:80",
            "https://[::1]:8080/x",
        ] {
            assert!(is_local(address), "{address}");
        }
        for address in ["http://example.org", "http://10.0.0.1", "x y"] {
            assert!(!is_local(address), "{address}");
        }
    }
}
