//! An engine that tells what becomes of its work, and waits where a test wants it to.

use std::sync::{Arc, Mutex, mpsc};

use client::protocol::{manifest::Manifest, problem::Problem};
use native_server::engine::{Engine, KeyRing, Stopped, Watch};

type Gate = Arc<Mutex<mpsc::Receiver<()>>>;

/// Tells how evaluations end and when keys are dropped.
pub struct Watched {
    engine: Arc<dyn Engine>,
    events: mpsc::Sender<&'static str>,
    gate: Option<Gate>,
}

impl Watched {
    /// Tells `events`.
    pub fn telling(engine: Arc<dyn Engine>, events: mpsc::Sender<&'static str>) -> Arc<dyn Engine> {
        Arc::new(Self {
            engine,
            events,
            gate: None,
        })
    }

    /// Each evaluation begins when `gate` is told so.
    pub fn gated(engine: Arc<dyn Engine>, gate: mpsc::Receiver<()>) -> Arc<dyn Engine> {
        Arc::new(Self {
            engine,
            events: mpsc::channel().0,
            gate: Some(Arc::new(Mutex::new(gate))),
        })
    }
}

struct WatchedRing {
    ring: Box<dyn KeyRing>,
    events: mpsc::Sender<&'static str>,
    gate: Option<Gate>,
}

impl Engine for Watched {
    fn manifest(&self) -> &Manifest {
        self.engine.manifest()
    }

    fn parameter_digest(&self) -> [u8; 32] {
        self.engine.parameter_digest()
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        self.engine.file(name)
    }

    fn prepared_bytes(&self, key: usize) -> u64 {
        self.engine.prepared_bytes(key)
    }

    fn open(self: Arc<Self>) -> Box<dyn KeyRing> {
        Box::new(WatchedRing {
            ring: Arc::clone(&self.engine).open(),
            events: self.events.clone(),
            gate: self.gate.clone(),
        })
    }

    fn check_query(&self, payload: &[u8]) -> Result<(), Problem> {
        self.engine.check_query(payload)
    }
}

impl KeyRing for WatchedRing {
    fn insert(&mut self, key: usize, payload: &[u8]) -> Result<(), Problem> {
        self.ring.insert(key, payload)
    }

    fn evaluate(&self, query: &[u8], watch: Watch<'_>) -> Result<Vec<u8>, Stopped> {
        if let Some(gate) = &self.gate {
            // The test may be over.
            let _ = gate.lock().unwrap().recv();
        }
        let outcome = self.ring.evaluate(query, watch);
        let event = match outcome {
            Ok(_) => "evaluated",
            Err(Stopped::Cancelled) => "cancelled",
            Err(Stopped::Failed(_)) => "failed",
        };
        // Nobody may be listening.
        let _ = self.events.send(event);
        outcome
    }
}

impl Drop for WatchedRing {
    fn drop(&mut self) {
        let _ = self.events.send("keys dropped");
    }
}
