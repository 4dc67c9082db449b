//! Server-sent events of a running inference, written and read.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::problem::Problem;

/// Longest event a reader takes, in bytes.
const EVENT_BYTES: usize = 16 << 10;

/// How far an inference is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Name of the layer at work; `queued` before the first.
    pub layer: String,
    /// Work done, in the unit of `total`.
    pub done: u64,
    /// Work in all.
    pub total: u64,
    /// Milliseconds since the evaluation began.
    pub elapsed_ms: u64,
    /// Milliseconds left, as far as can be told.
    pub eta_ms: Option<u64>,
}

/// An event of `GET /v1/inferences/{id}/events`.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Work goes on.
    Progress(Progress),
    /// The result can be fetched. The stream ends.
    Done,
    /// The inference failed. The stream ends.
    Failed(Problem),
    /// The inference was cancelled. The stream ends.
    Cancelled,
}

/// Why a stream of events cannot be read.
#[derive(Debug, Error)]
pub enum EventError {
    /// An event longer than any the server sends.
    #[error("event longer than {EVENT_BYTES} bytes")]
    TooLong,
    /// Data that is not the JSON of the named event.
    #[error("event data cannot be read: {0}")]
    Data(#[from] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
struct Failure {
    problem: Problem,
}

impl Event {
    /// Whether the stream ends with this event.
    #[must_use]
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Progress(_))
    }

    /// Text of the event, with the blank line that ends it.
    ///
    /// # Errors
    /// None in practice: the data has no map keys that JSON could refuse.
    pub fn to_sse(&self) -> Result<String, EventError> {
        Ok(match self {
            Self::Progress(progress) => {
                format!(
                    "event: progress\ndata: {}\n\n",
                    serde_json::to_string(progress)?
                )
            }
            Self::Done => "event: done\ndata: {}\n\n".to_owned(),
            Self::Failed(problem) => {
                let failure = Failure {
                    problem: problem.clone(),
                };
                format!(
                    "event: failed\ndata: {}\n\n",
                    serde_json::to_string(&failure)?
                )
            }
            Self::Cancelled => "event: cancelled\ndata: {}\n\n".to_owned(),
        })
    }
}

/// Reads events from a stream that arrives in pieces.
#[derive(Debug, Default)]
pub struct EventReader {
    name: String,
    data: String,
}

impl EventReader {
    /// Takes one line without its line break and returns the event that it completes, if any.
    /// Comments and events of unknown name are passed over.
    ///
    /// # Errors
    /// [`EventError`] when the event is too long or its data is malformed.
    pub fn line(&mut self, line: &str) -> Result<Option<Event>, EventError> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            let Self { name, data } = std::mem::take(self);
            return Self::event(&name, &data);
        }
        if self.name.len() + self.data.len() + line.len() > EVENT_BYTES {
            return Err(EventError::TooLong);
        }
        if let Some(name) = line.strip_prefix("event:") {
            self.name = name.trim().to_owned();
        } else if let Some(data) = line.strip_prefix("data:") {
            self.data.push_str(data.trim());
        }
        Ok(None)
    }

    fn event(name: &str, data: &str) -> Result<Option<Event>, EventError> {
        Ok(match name {
            "progress" => Some(Event::Progress(serde_json::from_str(data)?)),
            "done" => Some(Event::Done),
            "failed" => Some(Event::Failed(
                serde_json::from_str::<Failure>(data)?.problem,
            )),
            "cancelled" => Some(Event::Cancelled),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemKind;

    fn all() -> Vec<Event> {
        vec![
            Event::Progress(Progress {
                layer: "block 1 attention".to_owned(),
                done: 12,
                total: 1000,
                elapsed_ms: 340,
                eta_ms: None,
            }),
            Event::Done,
            Event::Failed(Problem::new(ProblemKind::EvaluationFailed, "line\nbreak")),
            Event::Cancelled,
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let mut text = String::from(": keep-alive\n\nevent: of-tomorrow\ndata: ?\n\n");
        for event in all() {
            text.push_str(&event.to_sse().unwrap());
        }
        let mut reader = EventReader::default();
        let read: Vec<_> = text
            .lines()
            .filter_map(|line| reader.line(line).unwrap())
            .collect();
        assert_eq!(read, all());
    }

    #[test]
    fn data_has_no_line_break() {
        for event in all() {
            assert_eq!(event.to_sse().unwrap().matches('\n').count(), 3);
        }
    }

    #[test]
    fn malformed_and_endless_events_are_errors() {
        let mut reader = EventReader::default();
        assert!(reader.line("event: progress").unwrap().is_none());
        assert!(reader.line("data: {").unwrap().is_none());
        assert!(matches!(reader.line(""), Err(EventError::Data(_))));
        let long = format!("data: {}", "x".repeat(EVENT_BYTES));
        assert!(matches!(reader.line(&long), Err(EventError::TooLong)));
    }
}
