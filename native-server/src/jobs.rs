//! The queue of inferences and the one thread that works it off.
//!
//! An evaluation already uses every core, so a second one at the same time would only slow both.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use protocol::{
    hex::Capability,
    problem::{Problem, ProblemKind},
};

use crate::{job::Job, key_set::KeySet, key_store::new_capability};

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
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            waiting: 16,
            waiting_per_set: 4,
            known: 1024,
            keep: Duration::from_secs(5 * 60),
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
    queue: Mutex<Queue>,
    ready: Condvar,
}

struct Queue {
    waiting: VecDeque<Arc<Job>>,
    known: HashMap<Capability, Arc<Job>>,
    // Running average per model, for the time estimates of the next ones.
    seconds: HashMap<String, f64>,
    closed: bool,
}

impl Jobs {
    /// An empty queue and its worker.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(limits: JobLimits) -> std::io::Result<Self> {
        let queue = Queue {
            waiting: VecDeque::new(),
            known: HashMap::new(),
            seconds: HashMap::new(),
            closed: false,
        };
        let shared = Arc::new(Shared {
            limits,
            queue: Mutex::new(queue),
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
    /// [`ProblemKind::QueueFull`].
    pub fn submit(&self, set: Arc<KeySet>, query: Vec<u8>) -> Result<Arc<Job>, Problem> {
        let job = Arc::new(Job::new(new_capability()?, set, query));
        let mut queue = self.shared.lock();
        queue.admit(job.key_set, &self.shared.limits)?;
        queue.waiting.push_back(Arc::clone(&job));
        queue.known.insert(job.id, Arc::clone(&job));
        self.shared.ready.notify_one();
        Ok(job)
    }

    /// The job with this id.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownInference`].
    pub fn get(&self, id: Capability) -> Result<Arc<Job>, Problem> {
        let job = self.shared.lock().known.get(&id).cloned();
        job.ok_or_else(|| unknown(id))
    }

    /// Cancels a job that waits or runs; drops the result of one that is over.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownInference`].
    pub fn cancel(&self, id: Capability) -> Result<(), Problem> {
        let mut queue = self.shared.lock();
        let job = queue.known.get(&id).cloned().ok_or_else(|| unknown(id))?;
        if job.state().is_final() {
            queue.known.remove(&id);
        } else {
            queue.cancel(&job);
        }
        Ok(())
    }

    /// Cancels every job that computes with a key set.
    pub fn cancel_all_of(&self, key_set: Capability) {
        let mut queue = self.shared.lock();
        let jobs: Vec<_> = queue
            .known
            .values()
            .filter(|job| job.key_set == key_set)
            .cloned()
            .collect();
        for job in jobs {
            queue.cancel(&job);
        }
    }

    /// Jobs that wait before this one.
    pub fn ahead_of(&self, id: Capability) -> usize {
        let queue = self.shared.lock();
        queue
            .waiting
            .iter()
            .position(|job| job.id == id)
            .unwrap_or(0)
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
}

impl Drop for Jobs {
    fn drop(&mut self) {
        {
            let mut queue = self.shared.lock();
            queue.closed = true;
            let jobs: Vec<_> = queue.known.values().cloned().collect();
            for job in jobs {
                queue.cancel(&job);
            }
        }
        self.shared.ready.notify_all();
        if let Some(worker) = self.worker.take() {
            // The worker catches panics of the evaluator, so there is nothing to report here.
            let _ = worker.join();
        }
    }
}

impl Queue {
    fn admit(&mut self, key_set: Capability, limits: &JobLimits) -> Result<(), Problem> {
        let full = |detail: String| Err(Problem::new(ProblemKind::QueueFull, detail));
        let JobLimits {
            waiting,
            waiting_per_set,
            known,
            ..
        } = *limits;
        if self.waiting.len() >= waiting {
            return full(format!("{waiting} inferences are waiting already"));
        }
        let own = self
            .waiting
            .iter()
            .filter(|job| job.key_set == key_set)
            .count();
        if own >= waiting_per_set {
            return full(format!(
                "{own} inferences of this key set are waiting already"
            ));
        }
        if self.known.len() >= known {
            let ended = self.known.values().filter(|job| job.ended().is_some());
            let Some(oldest) = ended.max_by_key(|job| job.ended()).map(|job| job.id) else {
                return full(format!("{known} inferences are known already"));
            };
            self.known.remove(&oldest);
        }
        Ok(())
    }

    fn cancel(&mut self, job: &Arc<Job>) {
        if let Some(place) = self.waiting.iter().position(|waiting| waiting.id == job.id) {
            self.waiting.remove(place);
            job.cancel_waiting();
        } else {
            job.cancel();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((job, expected)) = self.next() {
            if let Some(time) = job.run(expected) {
                let seconds = time.as_secs_f64();
                let mut queue = self.lock();
                let average = queue.seconds.entry(job.model.clone()).or_insert(seconds);
                *average += (seconds - *average) / 4.0;
            }
        }
    }

    fn next(&self) -> Option<(Arc<Job>, Duration)> {
        let queue = self.lock();
        let mut queue = self
            .ready
            .wait_while(queue, |queue| queue.waiting.is_empty() && !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return None;
        }
        let job = queue.waiting.pop_front()?;
        let seconds = queue
            .seconds
            .get(&job.model)
            .copied()
            .unwrap_or(job.expected_seconds);
        Some((
            job,
            Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        ))
    }
}

fn unknown(id: Capability) -> Problem {
    Problem::new(ProblemKind::UnknownInference, id)
}
