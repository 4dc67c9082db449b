//! A recording proxy between the browser and the world.
//!
//! Chromium sends everything through it, page and workers alike, whatever the host. It forwards what is meant for the
//! server under test, refuses the rest, and keeps every byte of every request.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// One request as it left the browser.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Method and target, as in `PUT http://127.0.0.1:1234/v1/…`.
    pub line: String,
    /// The host that it was meant for, with its port where it names one.
    pub host: String,
    /// Request line and headers.
    pub head: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// A running proxy. It lives as long as the process.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    recorded: Arc<Mutex<Vec<Recorded>>>,
}

impl Proxy {
    /// Listens on a free port of this machine and forwards to `server`, and to nothing else.
    pub fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let records = Arc::clone(&recorded);
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                let records = Arc::clone(&records);
                thread::spawn(move || serve(browser, server, &records));
            }
        });
        Ok(Self { address, recorded })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.recorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

// One request per connection: `Connection: close` both ways, so a response ends where its connection ends.
fn serve(browser: TcpStream, server: SocketAddr, records: &Mutex<Vec<Recorded>>) -> io::Result<()> {
    browser.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut reader = BufReader::new(browser.try_clone()?);
    let Some(request) = read_request(&mut reader)? else {
        return Ok(());
    };
    let forwarded = forwarded_head(&request);
    let allowed = request.host == server.to_string() && !request.line.starts_with("CONNECT ");
    let body = request.body.clone();
    records
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    if !allowed {
        (&browser).write_all(
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )?;
        return browser.shutdown(Shutdown::Both);
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&forwarded)?;
    upstream.write_all(&body)?;
    relay(&mut upstream, &mut &browser)?;
    browser.shutdown(Shutdown::Both)
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Recorded>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default().to_owned();
    let body = if header(&text, "transfer-encoding").is_some() {
        return Err(io::Error::other(
            "a chunked request, which no browser sends for a body of known size",
        ));
    } else {
        let length = header(&text, "content-length")
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        body
    };
    let host = host(&line, &text);
    Ok(Some(Recorded {
        line,
        host,
        head,
        body,
    }))
}

/// The host of an absolute target, of `CONNECT`'s target, or of the `Host` header.
fn host(line: &str, text: &str) -> String {
    let target = line.split_whitespace().nth(1).unwrap_or_default();
    match target.split_once("://") {
        Some((_, rest)) => rest
            .split(['/', '?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        None if line.starts_with("CONNECT ") => target.to_owned(),
        None => header(text, "host").unwrap_or_default().to_owned(),
    }
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let fields = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields
        .into_iter()
        .find(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

// The same head with a relative target and one request per connection.
fn forwarded_head(request: &Recorded) -> Vec<u8> {
    let text = String::from_utf8_lossy(&request.head);
    let prefix = format!("http://{}", request.host);
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    let mut head = lines.next().unwrap_or_default().replacen(&prefix, "", 1);
    for line in lines {
        let field = line.split(':').next().unwrap_or_default();
        if !["connection", "proxy-connection"]
            .iter()
            .any(|hop| field.eq_ignore_ascii_case(hop))
        {
            head.push_str("\r\n");
            head.push_str(line);
        }
    }
    head.push_str("\r\nConnection: close\r\n\r\n");
    head.into_bytes()
}

// Piece by piece, so that events arrive as they are sent.
fn relay(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut piece)?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(piece.get(..length).unwrap_or_default())?;
        to.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(proxy: &Proxy, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(proxy.address()).expect("proxy");
        stream.write_all(request).expect("request");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("response");
        response
    }

    // A server that answers every request with the bytes it got.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = listener.local_addr().expect("address");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = read_request(&mut BufReader::new(&stream))
                    .expect("request")
                    .expect("one");
                let answer = [
                    b"HTTP/1.1 200 OK\r\n\r\n",
                    &request.head[..],
                    &request.body[..],
                ]
                .concat();
                (&stream).write_all(&answer).expect("answer");
            }
        });
        address
    }

    #[test]
    fn what_is_sent_is_recorded_and_forwarded() {
        let server = echo();
        let proxy = Proxy::start(server).expect("proxy");
        let request = format!(
            "POST http://{server}/v1/x?y=1 HTTP/1.1\r\nHost: {server}\r\nProxy-Connection: keep-alive\r\nContent-Length: 4\r\n\r\nbody"
        );
        let answer = exchange(&proxy, request.as_bytes());
        assert!(answer.contains("POST /v1/x?y=1 HTTP/1.1\r\n"), "{answer}");
        assert!(
            answer.ends_with("Connection: close\r\n\r\nbody"),
            "{answer}"
        );
        let recorded = proxy.recorded();
        assert_eq!(recorded.len(), 1);
        assert_eq!(recorded[0].host, server.to_string());
        assert_eq!(recorded[0].body, b"body");
        assert_eq!(recorded[0].head.len() + 4, request.len());
    }

    #[test]
    fn other_hosts_are_recorded_and_refused() {
        let proxy = Proxy::start(echo()).expect("proxy");
        let answer = exchange(
            &proxy,
            b"GET http://example.org/pixel HTTP/1.1\r\nHost: example.org\r\n\r\n",
        );
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        exchange(
            &proxy,
            b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
        );
        let hosts: Vec<String> = proxy
            .recorded()
            .into_iter()
            .map(|request| request.host)
            .collect();
        assert_eq!(hosts, ["example.org", "example.org:443"]);
    }
}
