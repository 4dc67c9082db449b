//! The server's API, with its problems as errors.

mod transport;

use std::io::{BufRead, BufReader, ErrorKind, Read};

use client::ClientError;
use protocol::{
    events::{Event, EventReader, Progress},
    hex::Capability,
    limits,
    manifest::{FileEntry, KeySetStatus, Manifest, ModelList, NewInference, NewKeySet, TaskKind},
    problem::ProblemKind,
};
use serde::de::DeserializeOwned;

use crate::{CliError, Stop};
use transport::{Answer, Ask, Repeat, Transport, is_local};

/// Longest small JSON that is read.
const SMALL: u64 = 1 << 16;

/// Longest line of an event stream.
const LINE: u64 = 1 << 15;

const BINARY: &str = "application/octet-stream";

/// A server.
#[derive(Clone)]
pub struct Api {
    server: String,
    transport: Transport,
}

impl Api {
    /// A server by its address.
    pub fn new(server: &str, stop: &Stop) -> Self {
        let server = server.trim_end_matches('/').to_owned();
        if server.starts_with("http://") && !is_local(&server) {
            eprintln!(
                "{server} is no https address: whoever listens can use your keys on the server, not read with them"
            );
        }
        let transport = Transport::new(&server, stop);
        Self { server, transport }
    }

    /// Its address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What the server offers.
    pub fn models(&self) -> Result<ModelList, CliError> {
        self.get("/v1/models", SMALL)
    }

    /// The model of this name, or the first one that does what is asked for.
    pub fn model(&self, name: Option<&str>, task: TaskKind) -> Result<Manifest, CliError> {
        if let Some(name) = name {
            let manifest = self.manifest(name)?;
            // Found out here, before keys are made and sent for nothing.
            return match manifest.task.kind() {
                kind if kind == task => Ok(manifest),
                other => Err(ClientError::OtherTask(other).into()),
            };
        }
        let models = self.models()?.models;
        let first = models.into_iter().find(|model| model.task == task);
        let task = match task {
            TaskKind::Classify => "classifies images",
            TaskKind::Complete => "completes text",
        };
        let first = first.ok_or_else(|| CliError::NoSuchTask(task))?;
        self.manifest(&first.id)
    }

    /// A file that a checked manifest names.
    pub fn file(&self, model: &str, file: &FileEntry) -> Result<Vec<u8>, CliError> {
        let path = format!("/v1/models/{model}/files/{}", file.name);
        Ok(self.ask("GET", path, file.bytes)?.body)
    }

    /// A model's manifest.
    pub fn manifest(&self, model: &str) -> Result<Manifest, CliError> {
        if !model
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        {
            return Err(CliError::NoModel(model.to_owned()));
        }
        let limit = limits::MANIFEST_BYTES as u64;
        self.get(&format!("/v1/models/{model}"), limit)
    }

    /// A new key set for this manifest.
    pub fn create_key_set(&self, manifest: &Manifest) -> Result<KeySetStatus, CliError> {
        let body = NewKeySet {
            model: manifest.model.clone(),
            configuration: manifest.configuration,
        };
        let body =
            serde_json::to_vec(&body).map_err(|error| CliError::Protocol(error.to_string()))?;
        let answer = self.transport.send(&Ask {
            method: "POST",
            path: "/v1/key-sets".to_owned(),
            body: Some(("application/json", &body)),
            checksum: None,
            // An empty set that nobody knows of costs nothing.
            repeat: Repeat::Safe,
            limit: SMALL,
        })?;
        parse(&answer.body)
    }

    /// What a key set lacks; `None` when the server does not hold it.
    pub fn key_set(&self, set: Capability) -> Result<Option<KeySetStatus>, CliError> {
        match self.get(&format!("/v1/key-sets/{set}"), SMALL) {
            Err(error) if error.is(ProblemKind::UnknownKeySet) => Ok(None),
            status => status.map(Some),
        }
    }

    /// Uploads a part of a key.
    pub fn put_part(
        &self,
        set: Capability,
        key: &str,
        part: usize,
        bytes: &[u8],
    ) -> Result<(), CliError> {
        let ask = Ask {
            method: "PUT",
            path: format!("/v1/key-sets/{set}/keys/{key}/parts/{part}"),
            body: Some((BINARY, bytes)),
            checksum: Some(blake3::hash(bytes).to_hex().to_string()),
            repeat: Repeat::Safe,
            limit: SMALL,
        };
        self.transport.send(&ask).map(drop)
    }

    /// Deletes a key set.
    pub fn delete_key_set(&self, set: Capability) -> Result<(), CliError> {
        match self.ask("DELETE", format!("/v1/key-sets/{set}"), SMALL) {
            Err(error) if !error.is(ProblemKind::UnknownKeySet) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends a query.
    pub fn infer(&self, set: Capability, query: &[u8]) -> Result<Capability, CliError> {
        let answer = self.transport.send(&Ask {
            method: "POST",
            path: format!("/v1/inferences?key_set={set}"),
            body: Some((BINARY, query)),
            checksum: None,
            repeat: Repeat::Never,
            limit: SMALL,
        })?;
        Ok(parse::<NewInference>(&answer.body)?.id)
    }

    /// Stops an inference.
    pub fn cancel(&self, id: Capability) -> Result<(), CliError> {
        self.ask("DELETE", format!("/v1/inferences/{id}"), SMALL)
            .map(drop)
    }

    /// Follows an inference to its end.
    pub fn follow(&self, id: Capability, watch: &mut dyn FnMut(&Progress)) -> Result<(), CliError> {
        let response = self
            .transport
            .open(&format!("/v1/inferences/{id}/events"))?;
        let mut lines = BufReader::new(response.into_body().into_reader());
        let mut reader = EventReader::default();
        loop {
            let mut line = Vec::new();
            let length = lines
                .by_ref()
                .take(LINE)
                .read_until(b'\n', &mut line)
                .map_err(CliError::BrokenOff)?;
            if length == 0 {
                return Err(CliError::BrokenOff(ErrorKind::UnexpectedEof.into()));
            }
            if length as u64 == LINE {
                return Err(CliError::Protocol("a line without end".to_owned()));
            }
            match reader.line(&String::from_utf8_lossy(&line))? {
                None => {}
                Some(Event::Progress(progress)) => watch(&progress),
                Some(Event::Done) => return Ok(()),
                Some(Event::Failed(problem)) => return Err(CliError::Refused(Box::new(problem))),
                Some(Event::Cancelled) => {
                    return Err(CliError::Protocol("the inference was cancelled".to_owned()));
                }
            }
        }
    }

    /// The result container, of at most `limit` bytes.
    pub fn result(&self, id: Capability, limit: u64) -> Result<Vec<u8>, CliError> {
        let answer = self.ask("GET", format!("/v1/inferences/{id}/result"), limit)?;
        if answer.status != 200 {
            return Err(CliError::Protocol("there is no result yet".to_owned()));
        }
        Ok(answer.body)
    }

    fn get<T: DeserializeOwned>(&self, path: &str, limit: u64) -> Result<T, CliError> {
        parse(&self.ask("GET", path.to_owned(), limit)?.body)
    }

    fn ask(&self, method: &'static str, path: String, limit: u64) -> Result<Answer, CliError> {
        self.transport.send(&Ask {
            method,
            path,
            body: None,
            checksum: None,
            repeat: Repeat::Safe,
            limit,
        })
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CliError> {
    serde_json::from_slice(bytes).map_err(|error| CliError::Protocol(error.to_string()))
}
