//! A proxy that loses, refuses or passes on what goes to a server, and remembers what came.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What happens to a request.
pub enum Fate {
    Pass,
    /// The server gets it, the client no answer.
    LoseAnswer,
    /// The client gets this answer, the server nothing.
    Answer(&'static str),
}

/// An answer that no client asks again after.
pub const FORBIDDEN: &str =
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

type Judge = dyn Fn(usize, &str) -> Fate + Send + Sync;

/// Method and path of every request so far.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<String>>>);

impl Requests {
    /// How many began like this.
    pub fn count(&self, beginning: &str) -> usize {
        let all = self.0.lock().unwrap();
        all.iter()
            .filter(|line| line.starts_with(beginning))
            .count()
    }

    /// How many have this in them.
    pub fn naming(&self, part: &str) -> usize {
        let all = self.0.lock().unwrap();
        all.iter().filter(|line| line.contains(part)).count()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// Starts a proxy; `judge` sees the number of requests before and the first line without its version.
pub fn proxy(
    server: &str,
    judge: impl Fn(usize, &str) -> Fate + Send + Sync + 'static,
) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let (judge, requests): (Arc<Judge>, _) = (Arc::new(judge), Requests::default());
    let seen = requests.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (server, judge, seen) = (server.clone(), Arc::clone(&judge), seen.clone());
            thread::spawn(move || {
                // A client that went away is its own affair.
                let _ = serve(client?, &server, &*judge, &seen);
                io::Result::Ok(())
            });
        }
    });
    (address, requests)
}

/// One request a connection.
fn serve(mut client: TcpStream, server: &str, judge: &Judge, seen: &Requests) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push(line);
    }
    let request = head[0].rsplit_once(' ').unwrap().0.to_owned();
    let before = {
        let mut all = seen.0.lock().unwrap();
        all.push(request.clone());
        all.len() - 1
    };
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let fate = judge(before, &request);
    if let Fate::Answer(answer) = fate {
        return client.write_all(answer.as_bytes());
    }
    let mut upstream = TcpStream::connect(server)?;
    write!(upstream, "{}connection: close\r\n\r\n", head.concat())?;
    upstream.write_all(&body)?;
    if let Fate::LoseAnswer = fate {
        // Until the server is done.
        return io::copy(&mut upstream, &mut io::sink()).map(drop);
    }
    io::copy(&mut upstream, &mut client).map(drop)
}
