//! A planned model behind the [`Engine`] trait.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use protocol::{
    check::Trust,
    ckks::{EvaluationKeySet, Plaintext, SeededCiphertext, SeededKey, WireError},
    hex::Digest,
    manifest::{Manifest, Task},
    problem::{Problem, ProblemKind},
};
use transformer::{EncryptedModel, Network};

use super::{File, LoadError, describe::describe, recorded};
use crate::engine::{Engine, KeyRing, Stopped, Watch};

/// How often an inference that waits for the weights looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A loaded model, its weights encoded when the first key set is opened: until then a model that nobody uses costs little memory.
pub(super) struct EncryptedEngine<N> {
    manifest: Manifest,
    model: EncryptedModel<N>,
    files: Vec<File>,
    encoding: AtomicBool,
}

impl<N: Network<Plaintext = Plaintext>> EncryptedEngine<N> {
    /// Describes a model that is planned. `files` are for download, those that the task names among them.
    pub(super) fn new(
        name: &str,
        weights: Digest,
        task: Task,
        files: Vec<File>,
        model: EncryptedModel<N>,
    ) -> Result<Self, LoadError> {
        let manifest = describe(name, weights, task, model.plan(), model.parameters())?;
        // Clients make the same examination: what they would refuse must not be offered.
        manifest.check(Trust::InsecureForTests)?;
        Ok(Self {
            manifest,
            model,
            files,
            encoding: AtomicBool::new(false),
        })
    }

    /// With what was measured through encryption, where the model's folder tells.
    pub(super) fn with_record(mut self, folder: &Path) -> Result<Self, LoadError> {
        self.manifest.encrypted = recorded(folder, &self.manifest)?;
        Ok(self)
    }
}

impl<N: Network<Plaintext = Plaintext> + Send + Sync + 'static> EncryptedEngine<N> {
    /// Encodes the weights in a thread of its own, unless one is at it.
    fn begin_encoding(self: &Arc<Self>) {
        if self.encoding.swap(true, Ordering::Relaxed) {
            return;
        }
        let engine = Arc::clone(self);
        let thread = thread::Builder::new().name("encoding".into());
        if thread.spawn(move || engine.encode()).is_err() {
            self.encode();
        }
    }

    fn encode(&self) {
        if let Err(error) = self.model.encode() {
            tracing::error!(model = self.manifest.model, %error, "the weights cannot be encoded");
        }
    }

    /// Waits until the weights are encoded; the watch may end it.
    fn await_weights(&self, watch: Watch<'_>) -> ControlFlow<()> {
        while !self.model.is_encoded() {
            watch("encoding of the weights", 0.0)?;
            thread::sleep(LOOK);
        }
        ControlFlow::Continue(())
    }
}

impl<N: Network<Plaintext = Plaintext> + Send + Sync + 'static> Engine for EncryptedEngine<N> {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn parameter_digest(&self) -> [u8; 32] {
        self.model.parameters().digest()
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        let (_, content) = self.files.iter().find(|(known, _)| *known == name)?;
        Some(content)
    }

    fn prepared_bytes(&self, key: usize) -> u64 {
        let spec = self.manifest.keys.get(key).map(|key| key.spec);
        spec.map_or(0, |spec| {
            spec.prepared_bytes(self.model.parameters()) as u64
        })
    }

    fn open(self: Arc<Self>) -> Box<dyn KeyRing> {
        self.begin_encoding();
        let keys = EvaluationKeySet::new(self.model.parameters());
        Box::new(Keys { engine: self, keys })
    }

    fn check_query(&self, payload: &[u8]) -> Result<(), Problem> {
        let (parameters, spec) = (self.model.parameters(), &self.manifest.query.spec);
        SeededCiphertext::from_bytes(parameters, spec, payload)
            .map(drop)
            .map_err(unsound)
    }
}

struct Keys<N> {
    engine: Arc<EncryptedEngine<N>>,
    keys: EvaluationKeySet,
}

impl<N: Network<Plaintext = Plaintext> + Send + Sync + 'static> KeyRing for Keys<N> {
    fn insert(&mut self, key: usize, payload: &[u8]) -> Result<(), Problem> {
        let entry = self.engine.manifest.keys.get(key);
        let entry = entry.ok_or_else(|| Problem::new(ProblemKind::UnknownKey, key))?;
        let parameters = self.engine.model.parameters();
        let key = SeededKey::from_bytes(parameters, &entry.spec, payload).map_err(unsound)?;
        self.keys.insert(&key);
        Ok(())
    }

    fn evaluate(&self, query: &[u8], watch: Watch<'_>) -> Result<Vec<u8>, Stopped> {
        let EncryptedEngine {
            manifest, model, ..
        } = &*self.engine;
        let parameters = model.parameters();
        let query = SeededCiphertext::from_bytes(parameters, &manifest.query.spec, query)
            .map_err(|error| Stopped::Failed(error.to_string()))?
            .expand(parameters);
        if self.engine.await_weights(watch).is_break() {
            return Err(Stopped::Cancelled);
        }
        let mut step = |progress: transformer::Progress<'_>| -> ControlFlow<()> {
            watch(progress.layer, progress.done)
        };
        match model.evaluate(&self.keys, &query, &mut step) {
            Ok(result) => Ok(result.to_bytes(parameters)),
            Err(error) if error.is_cancelled() => Err(Stopped::Cancelled),
            Err(error) => Err(Stopped::Failed(error.to_string())),
        }
    }
}

fn unsound(error: WireError) -> Problem {
    Problem::new(ProblemKind::BadContainer, error)
}

#[cfg(test)]
mod tests {
    use model::Vit;
    use protocol::{ckks::Parameters, hex::Hex};
    use transformer::VitNetwork;

    use super::*;
    use crate::models::vit::engine;
    use std::time::Instant;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn small() -> Arc<EncryptedEngine<VitNetwork<Plaintext>>> {
        let vit = Vit::small(1, 1).expect("a model");
        let labels = (0..10).map(|label| label.to_string()).collect();
        let parameters = Parameters::insecure(11, 9).expect("parameters");
        Arc::new(engine(&vit, labels, Hex([0; 32]), Vec::new(), &parameters).expect("a plan"))
    }

    #[test]
    fn a_wait_for_the_weights_can_be_ended() {
        let engine = small();
        let mut asked = 0;
        let end = engine.await_weights(&mut |_, _| {
            asked += 1;
            if asked < 3 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        assert!(end.is_break() && asked == 3);
    }

    #[test]
    fn weights_are_encoded_when_a_key_set_is_opened() {
        let engine = small();
        assert!(!engine.model.is_encoded());
        let _keys = Arc::clone(&engine).open();
        let began = Instant::now();
        let end = engine.await_weights(&mut |_, _| match began.elapsed() < PATIENCE {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        });
        assert!(end.is_continue() && engine.model.is_encoded());
    }
}
