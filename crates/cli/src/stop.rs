//! A wish to stop, from another thread: the one that the keyboard wakes.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::CliError;

/// How often a wait looks for a stop.
const TICK: Duration = Duration::from_millis(50);

/// Whether to stop, and what to cancel then. Clones are the same wish.
#[derive(Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    requested: AtomicBool,
    cancel: Mutex<Option<Cancel>>,
}

type Cancel = Box<dyn FnOnce() + Send>;

impl Stop {
    /// Asks for a stop and cancels what is under way. Returns whether it was asked for before.
    pub fn request(&self) -> bool {
        let again = self.0.requested.swap(true, Ordering::SeqCst);
        if let Some(cancel) = self.take() {
            // A server that does not answer must not keep a second request from being heard.
            thread::spawn(cancel);
        }
        again
    }

    /// Passes unless a stop was asked for.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        if self.0.requested.load(Ordering::SeqCst) {
            return Err(CliError::Stopped);
        }
        Ok(())
    }

    /// Waits, unless a stop is asked for before or meanwhile.
    pub(crate) fn pause(&self, time: Duration) -> Result<(), CliError> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.check()?;
            thread::sleep(TICK);
        }
        self.check()
    }

    /// Does `work`; `cancel` is called when a stop is asked for meanwhile, or was already.
    pub(crate) fn during<T>(
        &self,
        cancel: impl FnOnce() + Send + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        *self.lock() = Some(Box::new(cancel));
        if self.check().is_err() {
            self.request();
        }
        let outcome = work();
        self.take();
        outcome
    }

    fn take(&self) -> Option<Cancel> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Cancel>> {
        self.0.cancel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_stop_cancels_what_is_under_way_once() {
        let stop = Stop::default();
        let (sender, receiver) = mpsc::channel();
        let cancel = move || sender.send(()).unwrap();
        let other = stop.clone();
        stop.during(cancel, || {
            assert!(stop.check().is_ok());
            assert!(!other.request());
            receiver.recv().unwrap();
            assert!(other.request(), "the second request is told apart");
        });
        assert!(matches!(stop.check(), Err(CliError::Stopped)));
        assert!(receiver.recv().is_err(), "cancelled once");
    }

    #[test]
    fn a_stop_that_came_before_cancels_at_once_and_one_that_comes_later_nothing() {
        let (sender, receiver) = mpsc::channel();
        let cancel = || {
            let sender = sender.clone();
            move || sender.send(()).unwrap()
        };
        let stop = Stop::default();
        stop.during(cancel(), || ());
        stop.request();
        assert!(receiver.try_recv().is_err());
        stop.during(cancel(), || receiver.recv().unwrap());
    }
}
