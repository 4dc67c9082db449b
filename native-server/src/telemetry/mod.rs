//! What whoever runs the server may know: numbers and log lines, none of them about a person.

mod log;
mod metrics;

pub use self::log::{LogFormat, LogLevel, begin};
pub(crate) use self::metrics::{LayerClock, MEDIA_TYPE, Metrics, Outcome};
