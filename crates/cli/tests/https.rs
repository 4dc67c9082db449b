//! Servers behind TLS: the system's certificates decide, or those that `SSL_CERT_FILE` names.

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use common::cipherformer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

const MODELS: &str = r#"{"models":[]}"#;

/// A server for `localhost` that lists no models; returns its address and its certificate.
fn server() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust us hangs up.
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
                let length = MODELS.len();
                let _ = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{MODELS}");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (address, made.cert.pem())
}

#[test]
fn a_server_is_believed_when_its_certificate_is_trusted() {
    let (address, certificate) = server();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certificate.pem");
    fs::write(&file, certificate).unwrap();
    let output = cipherformer()
        .args(["models", "--json", "--server", &address])
        .env_remove("SSL_CERT_DIR")
        .env("SSL_CERT_FILE", &file)
        .output()
        .unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert_eq!(notes, "");
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["server"], address);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let ((address, _), (_, other)) = (server(), server());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certificate.pem");
    fs::write(&file, other).unwrap();
    let output = cipherformer()
        .args(["models", "--server", &address])
        .env_remove("SSL_CERT_DIR")
        .env("SSL_CERT_FILE", &file)
        .output()
        .unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{notes}");
    assert!(notes.contains("certificate"), "{notes}");
    assert_eq!(notes.lines().count(), 1, "{notes}");
}
