//! The queue of inferences and the one thread that works it off.
//!
//! An evaluation already uses every core, so a second one at the same time would only slow both.

mod job;
mod queue;

use std::{
    collections::HashMap,
    num::NonZeroU16,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use protocol::{
    hex::Capability,
    problem::{Problem, ProblemKind},
};

pub use self::job::{Job, JobState, queued};
use self::{job::Surroundings, queue::Queue};
use crate::{
    keys::{KeySet, KeyStore, SetName, new_capability},
    telemetry::Metrics,
};

/// Bounds of the queue.
#[derive(Clone, Copy, Debug)]
pub struct JobLimits {
    /// Jobs that may wait.
    pub waiting: usize,
    /// Jobs of one key set that may wait, so that one client cannot take the whole queue.
    pub waiting_per_set: usize,
    /// Jobs that are remembered, waiting and ended ones together.
    pub known: usize,
    /// Time for which results are kept.
    pub keep: Duration,
    /// Time that one evaluation may take.
    pub time: Duration,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            waiting: 16,
            waiting_per_set: 4,
            known: 1024,
            keep: Duration::from_secs(5 * 60),
            time: Duration::from_secs(10 * 60),
        }
    }
}

/// All inferences.
pub struct Jobs {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

struct Shared {
    limits: JobLimits,
    surroundings: Surroundings,
    table: Mutex<Table>,
    ready: Condvar,
}

#[derive(Default)]
struct Table {
    waiting: Queue,
    running: Option<Arc<Job>>,
    known: HashMap<Capability, Arc<Job>>,
    // Running average per model, for the time estimates of the next ones.
    seconds: HashMap<String, f64>,
    closing: bool,
    closed: bool,
}

impl Jobs {
    /// An empty queue and its worker.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        limits: JobLimits,
        keys: Arc<KeyStore>,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            limits,
            surroundings: Surroundings {
                keys,
                metrics,
                time: limits.time,
            },
            table: Mutex::default(),
            ready: Condvar::new(),
        });
        let worker = {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name("evaluation".to_owned())
                .spawn(move || shared.work())?
        };
        Ok(Self {
            shared,
            worker: Some(worker),
        })
    }

    /// Queues a checked query.
    ///
    /// # Errors
    /// [`ProblemKind::QueueFull`], or [`ProblemKind::ShuttingDown`].
    pub fn submit(&self, set: Arc<KeySet>, query: Vec<u8>) -> Result<Arc<Job>, Problem> {
        let job = Arc::new(Job::new(new_capability()?, set, query));
        let mut table = self.shared.lock();
        table.admit(&job, &self.shared.limits)?;
        table.waiting.push(Arc::clone(&job));
        table.known.insert(job.id, Arc::clone(&job));
        self.shared.ready.notify_one();
        Ok(job)
    }

    /// The job with this id.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownInference`].
    pub fn get(&self, id: Capability) -> Result<Arc<Job>, Problem> {
        let job = self.shared.lock().known.get(&id).cloned();
        job.ok_or_else(unknown)
    }

    /// Cancels a job that waits or runs; drops the result of one that is over.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownInference`].
    pub fn cancel(&self, id: Capability) -> Result<(), Problem> {
        let mut table = self.shared.lock();
        let job = table.known.get(&id).cloned().ok_or_else(unknown)?;
        if job.state().is_final() {
            table.known.remove(&id);
        } else {
            table.cancel(&job);
        }
        Ok(())
    }

    /// Cancels every job that computes with a key set.
    pub fn cancel_all_of(&self, set: SetName) {
        self.shared.lock().cancel_all(|job| job.set == set);
    }

    /// Jobs that are served before this one.
    pub fn ahead_of(&self, job: &Job) -> usize {
        self.shared.lock().waiting.ahead_of(job)
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Seconds an inference of this model took lately, if any ran.
    pub fn seconds(&self, model: &str) -> Option<f64> {
        self.shared.lock().seconds.get(model).copied()
    }

    /// Drops results that were kept long enough.
    pub fn expire(&self) {
        let keep = self.shared.limits.keep;
        self.shared
            .lock()
            .known
            .retain(|_, job| job.ended().is_none_or(|ended| ended < keep));
    }

    /// Takes no more jobs.
    pub fn close(&self) {
        self.shared.lock().closing = true;
    }

    /// Whether no more jobs are taken.
    pub fn is_closing(&self) -> bool {
        self.shared.lock().closing
    }

    /// Whether nothing waits and nothing runs.
    pub fn is_idle(&self) -> bool {
        let table = self.shared.lock();
        table.waiting.len() == 0 && table.running.is_none()
    }

    /// Cancels everything.
    pub fn cancel_everything(&self) {
        self.shared.lock().cancel_all(|_| true);
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        {
            let mut table = self.shared.lock();
            table.closed = true;
            table.cancel_all(|_| true);
        }
        self.shared.ready.notify_all();
        if let Some(worker) = self.worker.take() {
            // The worker catches panics of the evaluator, so there is nothing to report here.
            let _ = worker.join();
        }
    }
}

impl Table {
    fn admit(&mut self, job: &Job, limits: &JobLimits) -> Result<(), Problem> {
        if self.closing {
            return Err(Problem::new(
                ProblemKind::ShuttingDown,
                "no inference is begun any more",
            ));
        }
        let waiting = self.waiting.len();
        if waiting >= limits.waiting {
            return Err(self.full(
                job,
                format_args!("{waiting} inferences are waiting already"),
            ));
        }
        let own = self.waiting.of(job.set);
        if own >= limits.waiting_per_set {
            return Err(self.full(
                job,
                format_args!("{own} inferences of this key set are waiting already"),
            ));
        }
        if self.known.len() >= limits.known {
            let ended = self.known.values().filter(|job| job.ended().is_some());
            let Some(oldest) = ended.max_by_key(|job| job.ended()).map(|job| job.id) else {
                return Err(self.full(
                    job,
                    format_args!("{} inferences are known already", limits.known),
                ));
            };
            self.known.remove(&oldest);
        }
        Ok(())
    }

    // Room comes when the job at work is over, which the time of the last ones foretells.
    fn full(&self, job: &Job, detail: std::fmt::Arguments<'_>) -> Problem {
        let narrow = |number: u64| NonZeroU16::new(u16::try_from(number).unwrap_or(u16::MAX));
        Problem {
            waiting: narrow(self.waiting.len() as u64),
            retry_after: narrow(self.expected(job).as_secs_f64().ceil() as u64),
            ..Problem::new(ProblemKind::QueueFull, detail)
        }
    }

    fn expected(&self, job: &Job) -> Duration {
        let seconds = self.seconds.get(&job.model).copied();
        Duration::try_from_secs_f64(seconds.unwrap_or(job.expected_seconds)).unwrap_or_default()
    }

    fn cancel_all(&mut self, which: impl Fn(&Job) -> bool) {
        let jobs: Vec<_> = self
            .known
            .values()
            .filter(|job| which(job))
            .cloned()
            .collect();
        for job in jobs {
            self.cancel(&job);
        }
    }

    fn cancel(&mut self, job: &Job) {
        if self.waiting.remove(job) {
            job.cancel_waiting();
        } else {
            job.cancel();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((job, expected)) = self.next() {
            let time = job.run(expected, &self.surroundings);
            let mut table = self.lock();
            table.running = None;
            if let Some(time) = time {
                let seconds = time.as_secs_f64();
                let average = table.seconds.entry(job.model.clone()).or_insert(seconds);
                *average += (seconds - *average) / 4.0;
            }
        }
    }

    fn next(&self) -> Option<(Arc<Job>, Duration)> {
        let table = self.lock();
        let mut table = self
            .ready
            .wait_while(table, |table| table.waiting.len() == 0 && !table.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if table.closed {
            return None;
        }
        let job = table.waiting.pop()?;
        table.running = Some(Arc::clone(&job));
        let expected = table.expected(&job);
        Some((job, expected))
    }
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownInference, "no inference has this id")
}
