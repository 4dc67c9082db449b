//! Numbers for Prometheus. No label names a key set, an inference or an address.

use std::{
    fmt,
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::text,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use protocol::problem::ProblemKind;

use crate::keys::KeyUse;

/// Media type of the text form.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels<const N: usize> = [(&'static str, String); N];

/// How an evaluation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Done,
    /// With a problem.
    Failed,
    /// On request.
    Cancelled,
}

/// All numbers.
pub struct Metrics {
    registry: Registry,
    layers: Family<Labels<2>, Histogram>,
    inferences: Family<Labels<2>, Histogram>,
    requests: Family<Labels<3>, Counter>,
    problems: Family<Labels<1>, Counter>,
    waiting: Gauge,
    key_sets: Gauge,
    key_bytes: Family<Labels<1>, Gauge>,
}

impl Default for Metrics {
    /// Everything at zero.
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.01, 2.0, 16));
        let mut metrics = Self {
            registry: Registry::with_prefix("cipherformer"),
            layers: Family::new_with_constructor(seconds),
            inferences: Family::new_with_constructor(seconds),
            requests: Family::default(),
            problems: Family::default(),
            waiting: Gauge::default(),
            key_sets: Gauge::default(),
            key_bytes: Family::default(),
        };
        // Kinds that never occurred are there with zero, so that an alert can name them.
        for kind in ProblemKind::ALL {
            drop(
                metrics
                    .problems
                    .get_or_create(&[("kind", kind.slug().to_owned())]),
            );
        }
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let layers = self.layers.clone();
        registry.register_with_unit(
            "layer",
            "Time of a layer of an evaluation",
            Unit::Seconds,
            layers,
        );
        let inferences = self.inferences.clone();
        registry.register_with_unit(
            "inference",
            "Time of an evaluation, by how it ended",
            Unit::Seconds,
            inferences,
        );
        registry.register(
            "requests",
            "Requests by route and status",
            self.requests.clone(),
        );
        registry.register(
            "problems",
            "Refusals and failures by kind",
            self.problems.clone(),
        );
        registry.register("queue_length", "Inferences that wait", self.waiting.clone());
        registry.register("key_sets", "Key sets held", self.key_sets.clone());
        let key_bytes = self.key_bytes.clone();
        registry.register_with_unit(
            "key",
            "Size of the keys held, by place",
            Unit::Bytes,
            key_bytes,
        );
    }

    /// An evaluation ended.
    pub fn inference(&self, model: &str, outcome: Outcome, time: Duration) {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        };
        let labels = [("model", model.to_owned()), ("outcome", outcome.to_owned())];
        self.inferences
            .get_or_create(&labels)
            .observe(time.as_secs_f64());
    }

    /// A request was answered. `route` is a pattern, never an address.
    pub fn request(&self, method: &str, route: &str, status: u16, problem: Option<ProblemKind>) {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        self.requests.get_or_create(&labels).inc();
        if let Some(kind) = problem {
            self.problem(kind);
        }
    }

    /// A problem occurred that is the answer to no request.
    pub fn problem(&self, kind: ProblemKind) {
        self.problems
            .get_or_create(&[("kind", kind.slug().to_owned())])
            .inc();
    }

    /// The text form, with the present state of queue and key store.
    ///
    /// # Errors
    /// None in practice: a string takes all text.
    pub fn encode(&self, waiting: usize, keys: KeyUse) -> Result<String, fmt::Error> {
        let bytes = |place: &str, bytes: u64| {
            self.key_bytes
                .get_or_create(&[("place", place.to_owned())])
                .set(bytes.cast_signed());
        };
        self.waiting.set(waiting as i64);
        self.key_sets.set(keys.sets as i64);
        bytes("memory", keys.memory);
        bytes("disk", keys.disk);
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }
}

/// Measures the layers of one evaluation.
pub struct LayerClock<'a> {
    metrics: &'a Metrics,
    model: &'a str,
    layer: Option<(String, Instant)>,
}

impl<'a> LayerClock<'a> {
    /// No layer is at work yet.
    pub fn start(metrics: &'a Metrics, model: &'a str) -> Self {
        Self {
            metrics,
            model,
            layer: None,
        }
    }

    /// This layer is at work.
    pub fn layer(&mut self, name: &str) {
        if self.layer.as_ref().is_some_and(|(layer, _)| layer == name) {
            return;
        }
        self.stop();
        self.layer = Some((name.to_owned(), Instant::now()));
    }

    fn stop(&mut self) {
        if let Some((layer, since)) = self.layer.take() {
            let labels = [("model", self.model.to_owned()), ("layer", layer)];
            self.metrics
                .layers
                .get_or_create(&labels)
                .observe(since.elapsed().as_secs_f64());
        }
    }
}

impl Drop for LayerClock<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}
