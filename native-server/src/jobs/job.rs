//! One inference, from the query to the result.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use protocol::{
    container::{self, ObjectType},
    events::Progress,
    hex::Capability,
    problem::{Problem, ProblemKind},
};
use tokio::sync::watch;

use crate::{
    engine::Stopped,
    keys::{KeySet, KeyStore, SetName},
    telemetry::{LayerClock, Metrics, Outcome},
};

/// Name of the layer while keys come back from the disk.
const LOADING: &str = "loading keys";

/// Unit of [`Progress::total`].
const TOTAL: u64 = 1000;

/// Share of work after which the time left is judged by the time taken.
const SETTLED: f64 = 0.05;

/// Where an inference stands.
#[derive(Clone, Debug)]
pub enum JobState {
    /// In the queue.
    Waiting,
    /// At work.
    Running(Progress),
    /// The result container.
    Done(Bytes),
    /// It ended with a problem.
    Failed(Problem),
    /// It was cancelled.
    Cancelled,
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running(_))
    }
}

/// What a job needs besides itself.
pub struct Surroundings {
    /// Where keys come from that are not in memory.
    pub keys: Arc<KeyStore>,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
    /// Time that it may take.
    pub time: Duration,
}

enum Ended {
    Cancelled,
    Problem(Problem),
}

/// An inference.
pub struct Job {
    /// Its capability.
    pub id: Capability,
    /// The key set it computes with.
    pub set: SetName,
    /// The model it evaluates.
    pub model: String,
    /// What the model's manifest says about the time.
    pub expected_seconds: f64,
    work: Mutex<Option<Work>>,
    cancelled: AtomicBool,
    state: watch::Sender<JobState>,
    ended: Mutex<Option<Instant>>,
}

// Dropped as soon as the job is over, so that neither keys nor query outlive their use.
struct Work {
    set: Arc<KeySet>,
    query: Vec<u8>,
}

impl Job {
    /// A job that waits.
    pub fn new(id: Capability, set: Arc<KeySet>, query: Vec<u8>) -> Self {
        let manifest = set.manifest();
        Self {
            id,
            set: set.life.name,
            model: manifest.model.clone(),
            expected_seconds: manifest.expected_seconds,
            work: Mutex::new(Some(Work { set, query })),
            cancelled: AtomicBool::new(false),
            state: watch::Sender::new(JobState::Waiting),
            ended: Mutex::new(None),
        }
    }

    /// The state now and every later one.
    pub fn subscribe(&self) -> watch::Receiver<JobState> {
        self.state.subscribe()
    }

    /// The state now.
    pub fn state(&self) -> JobState {
        self.state.borrow().clone()
    }

    /// Time since the job ended.
    pub fn ended(&self) -> Option<Duration> {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .map(|at| at.elapsed())
    }

    /// Asks a running job to stop at the next ciphertext operation.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// Ends a job that has not begun.
    pub fn cancel_waiting(&self) {
        self.cancel();
        drop(self.take_work());
        self.end(JobState::Cancelled);
    }

    /// Runs the evaluation to its end on this thread; returns the time it took if there is a result.
    pub fn run(&self, expected: Duration, around: &Surroundings) -> Option<Duration> {
        let work = self.take_work()?;
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.evaluate(&work, start, expected, around)
        }))
        .unwrap_or_else(|_| Err(Stopped::Failed("the evaluator panicked".to_owned()).into()));
        let digest = work.set.engine.parameter_digest();
        work.set.life.touch();
        drop(work);
        let time = start.elapsed();
        let (state, outcome) = match outcome {
            Ok(payload) => {
                let result = container::write(ObjectType::Result, &digest, &payload);
                (JobState::Done(result.into()), Outcome::Done)
            }
            Err(Ended::Cancelled) => (JobState::Cancelled, Outcome::Cancelled),
            Err(Ended::Problem(problem)) => {
                tracing::warn!(
                    model = self.model,
                    detail = problem.detail,
                    "inference failed"
                );
                (JobState::Failed(problem), Outcome::Failed)
            }
        };
        around.metrics.inference(&self.model, outcome, time);
        self.end(state);
        (outcome == Outcome::Done).then_some(time)
    }

    fn evaluate(
        &self,
        work: &Work,
        start: Instant,
        expected: Duration,
        around: &Surroundings,
    ) -> Result<Vec<u8>, Ended> {
        let (set, mut overdue) = (&work.set, false);
        let mut clock = LayerClock::start(&around.metrics, &self.model);
        let mut watch = |layer: &str, done: f64| {
            overdue = start.elapsed() > around.time;
            if overdue || self.cancelled.load(Ordering::SeqCst) {
                return ControlFlow::Break(());
            }
            clock.layer(layer);
            let progress = progress(layer, done, start.elapsed(), expected);
            self.state.send_replace(JobState::Running(progress));
            ControlFlow::Continue(())
        };
        // It may have been cancelled between leaving the queue and coming here.
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(Ended::Cancelled);
        }
        let mut ring = set.ring();
        let loaded = around.keys.load(set, &mut ring, || watch(LOADING, 0.0));
        let outcome = match (loaded.map_err(Ended::Problem)?, ring.keys()) {
            (ControlFlow::Break(()), _) => Err(Stopped::Cancelled),
            (_, Some(keys)) => keys.evaluate(&work.query, &mut watch),
            (_, None) => Err(Stopped::Failed("the model takes no keys".to_owned())),
        };
        match outcome {
            Err(Stopped::Cancelled) if overdue => {
                let detail = format_args!("it took more than {} seconds", around.time.as_secs());
                Err(Ended::Problem(Problem::new(ProblemKind::TimeLimit, detail)))
            }
            outcome => Ok(outcome?),
        }
    }

    fn take_work(&self) -> Option<Work> {
        self.work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn end(&self, state: JobState) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.state.send_replace(state);
    }
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Self::Cancelled,
            Stopped::Failed(detail) => {
                Self::Problem(Problem::new(ProblemKind::EvaluationFailed, detail))
            }
        }
    }
}

fn progress(layer: &str, done: f64, elapsed: Duration, expected: Duration) -> Progress {
    let done = done.clamp(0.0, 1.0);
    let elapsed_ms = elapsed.as_millis() as u64;
    let total_ms = if done < SETTLED {
        expected.as_millis() as u64
    } else {
        (elapsed_ms as f64 / done) as u64
    };
    Progress {
        layer: layer.to_owned(),
        done: (done * TOTAL as f64) as u64,
        total: TOTAL,
        elapsed_ms,
        eta_ms: Some(total_ms.saturating_sub(elapsed_ms)),
    }
}

/// Progress of a job that waits behind `ahead` others.
pub fn queued(ahead: usize, expected: Duration) -> Progress {
    let rounds = ahead as u64 + 1;
    let eta_ms = Some((expected.as_millis() as u64).saturating_mul(rounds));
    Progress {
        layer: "queued".to_owned(),
        done: 0,
        total: TOTAL,
        elapsed_ms: 0,
        eta_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_follows_the_work_done() {
        let seconds = Duration::from_secs;
        let early = progress("embed", 0.01, seconds(1), seconds(20));
        assert_eq!((early.done, early.eta_ms), (10, Some(19_000)));
        let late = progress("head", 0.5, seconds(12), seconds(20));
        assert_eq!((late.done, late.eta_ms), (500, Some(12_000)));
        assert_eq!(progress("head", 7.0, seconds(1), seconds(1)).done, TOTAL);
        assert_eq!(progress("head", f64::NAN, seconds(1), seconds(1)).done, 0);
    }
}
