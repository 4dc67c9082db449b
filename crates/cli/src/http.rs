//! The server's API, with its problems as errors.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read},
    time::Duration,
};

use protocol::{
    events::{Event, EventReader, Progress},
    hex::Capability,
    limits,
    manifest::{FileEntry, KeySetStatus, Manifest, ModelList, NewInference, NewKeySet, TaskKind},
    problem::{MEDIA_TYPE, Problem},
};
use serde::de::DeserializeOwned;
use ureq::{
    Agent, Body,
    http::{Request, Response},
};

use crate::CliError;

/// Longest error or small JSON that is read.
const SMALL: u64 = 1 << 16;

/// Longest line of an event stream.
const LINE: u64 = 1 << 15;

/// A server.
#[derive(Clone)]
pub struct Api {
    server: String,
    agent: Agent,
}

impl Api {
    /// A server by its address.
    pub fn new(server: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            // The server says something at least every five seconds.
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .build()
            .into();
        Self {
            server: server.trim_end_matches('/').to_owned(),
            agent,
        }
    }

    /// The models' names.
    fn models(&self) -> Result<ModelList, CliError> {
        self.json("GET", "/v1/models", "", &[], SMALL)
    }

    /// The model of this name, or the first one that does what is asked for.
    pub fn model(&self, name: Option<&str>, task: TaskKind) -> Result<Manifest, CliError> {
        if let Some(name) = name {
            return self.manifest(name);
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
        let request = self.request("GET", &path, "");
        let response = self.answer(self.agent.run(sealed(request.body(()))?))?;
        read(response, file.bytes)
    }

    /// A model's manifest.
    pub fn manifest(&self, model: &str) -> Result<Manifest, CliError> {
        if !model
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        {
            return Err(CliError::NoModel(model.to_owned()));
        }
        self.json(
            "GET",
            &format!("/v1/models/{model}"),
            "",
            &[],
            limits::MANIFEST_BYTES as u64,
        )
    }

    /// A new key set for this manifest.
    pub fn create_key_set(&self, manifest: &Manifest) -> Result<KeySetStatus, CliError> {
        let body = NewKeySet {
            model: manifest.model.clone(),
            configuration: manifest.configuration,
        };
        let body =
            serde_json::to_vec(&body).map_err(|error| CliError::Protocol(error.to_string()))?;
        self.json("POST", "/v1/key-sets", "application/json", &body, SMALL)
    }

    /// Uploads a part of a key.
    pub fn put_part(
        &self,
        set: Capability,
        key: &str,
        part: usize,
        bytes: &[u8],
    ) -> Result<(), CliError> {
        let path = format!("/v1/key-sets/{set}/keys/{key}/parts/{part}");
        let checksum = blake3::hash(bytes).to_hex();
        let request = self
            .request("PUT", &path, BINARY)
            .header("x-part-blake3", checksum.as_str());
        self.answer(self.agent.run(sealed(request.body(bytes))?))
            .map(drop)
    }

    /// Deletes a key set.
    pub fn delete_key_set(&self, set: Capability) -> Result<(), CliError> {
        self.delete(&format!("/v1/key-sets/{set}"))
    }

    /// Sends a query.
    pub fn infer(&self, set: Capability, query: &[u8]) -> Result<Capability, CliError> {
        let path = format!("/v1/inferences?key_set={set}");
        let new: NewInference = self.json("POST", &path, BINARY, query, SMALL)?;
        Ok(new.id)
    }

    /// Stops an inference.
    pub fn cancel(&self, id: Capability) -> Result<(), CliError> {
        self.delete(&format!("/v1/inferences/{id}"))
    }

    /// Follows an inference to its end.
    pub fn follow(&self, id: Capability, watch: &mut dyn FnMut(&Progress)) -> Result<(), CliError> {
        let request = self.request("GET", &format!("/v1/inferences/{id}/events"), "");
        let response = self.answer(self.agent.run(sealed(request.body(()))?))?;
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
        let request = self.request("GET", &format!("/v1/inferences/{id}/result"), "");
        let response = self.answer(self.agent.run(sealed(request.body(()))?))?;
        if response.status().as_u16() != 200 {
            return Err(CliError::Protocol("there is no result yet".to_owned()));
        }
        read(response, limit)
    }

    fn delete(&self, path: &str) -> Result<(), CliError> {
        let request = self.request("DELETE", path, "");
        self.answer(self.agent.run(sealed(request.body(()))?))
            .map(drop)
    }

    fn request(&self, method: &str, path: &str, media: &str) -> ureq::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server));
        if media.is_empty() {
            request
        } else {
            request.header("content-type", media)
        }
    }

    fn json<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        media: &str,
        body: &[u8],
        limit: u64,
    ) -> Result<T, CliError> {
        let request = self.request(method, path, media);
        let outcome = if body.is_empty() {
            self.agent.run(sealed(request.body(()))?)
        } else {
            self.agent.run(sealed(request.body(body))?)
        };
        let bytes = read(self.answer(outcome)?, limit)?;
        serde_json::from_slice(&bytes).map_err(|error| CliError::Protocol(error.to_string()))
    }

    fn answer(
        &self,
        outcome: Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, CliError> {
        let response = outcome.map_err(|source| CliError::Unreachable {
            server: self.server.clone(),
            source: Box::new(source),
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let described = response
            .headers()
            .get("content-type")
            .is_some_and(|media| media == MEDIA_TYPE);
        if described && let Ok(problem) = serde_json::from_slice::<Problem>(&read(response, SMALL)?)
        {
            return Err(CliError::Refused(Box::new(problem)));
        }
        Err(CliError::Protocol(format!("status {status}")))
    }
}

const BINARY: &str = "application/octet-stream";

fn sealed<T>(request: Result<Request<T>, ureq::http::Error>) -> Result<Request<T>, CliError> {
    request.map_err(|error| CliError::Protocol(format!("the address cannot be used: {error}")))
}

fn read(response: Response<Body>, limit: u64) -> Result<Vec<u8>, CliError> {
    // ureq refuses a body that reaches its limit, we one that exceeds it.
    let body = response
        .into_body()
        .into_with_config()
        .limit(limit.saturating_add(1))
        .read_to_vec();
    body.map_err(|error| CliError::Protocol(error.to_string()))
}
