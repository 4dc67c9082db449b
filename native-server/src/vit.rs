//! An encrypted vision transformer behind the [`Engine`] trait.

use std::{fs, io, ops::ControlFlow, path::Path, sync::Arc};

use model::{Config, ModelError, Vit, labels};
use protocol::{
    check::{Trust, container_bytes},
    ckks::{
        Ciphertext, EvaluationKeySet, KeySpec, Parameters, SECURITY_SOURCE, SeededCiphertext,
        SeededKey, WireError,
    },
    hex::{Digest, Hex},
    layout::{Axis, Layout, Part},
    manifest::{
        Accuracy, Classify, KeyEntry, Manifest, ManifestError, Object, PROTOCOL, ParameterSet,
        Preprocessing, Security, Task, configuration_digest,
    },
    problem::{Problem, ProblemKind},
};
use thiserror::Error;
use transformer::{EncryptedVit, SlotLayout, TransformerError};

use crate::engine::{Engine, KeyRing, Stopped, Watch};

/// Seconds per unit of planned cost at ring degree 2^15 on the two-core reference machine. Only the first estimate
/// comes from it, later ones from the evaluations themselves.
const SECONDS_PER_COST: f64 = 60e-6;

/// A loaded model with its weights encoded.
pub struct VitEngine {
    manifest: Manifest,
    network: EncryptedVit,
}

/// Why a model cannot be served.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The model's files are not a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model cannot be evaluated under these parameters.
    #[error(transparent)]
    Plan(#[from] TransformerError),
    /// A planned ciphertext does not fit the parameters.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The plan does not fit into a manifest that clients accept.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl VitEngine {
    /// Reads a model's folder, plans the encrypted evaluation and encodes the weights.
    ///
    /// # Errors
    /// A [`LoadError`]; a model that cannot be evaluated is found out here and not by a client.
    pub fn load(folder: &Path, parameters: &Parameters) -> Result<Self, LoadError> {
        let config = read(&folder.join("config.json"))?;
        let weights = read(&folder.join("model.safetensors"))?;
        let vit = Vit::from_bytes(&config, &weights)?;
        let labels = labels::load(folder, &vit.config)?;
        let digest = blake3::Hasher::new()
            .update(&config)
            .update(&weights)
            .finalize();
        Self::new(&vit, labels, Hex(*digest.as_bytes()), parameters)
    }

    /// Plans and encodes a model that is in memory.
    ///
    /// # Errors
    /// As [`VitEngine::load`].
    pub fn new(
        vit: &Vit,
        labels: Vec<String>,
        weights: Digest,
        parameters: &Parameters,
    ) -> Result<Self, LoadError> {
        let network = EncryptedVit::new(parameters, vit)?;
        let manifest = describe(&network, &vit.config, labels, weights)?;
        // Clients make the same examination: what they would refuse must not be offered.
        manifest.check(Trust::InsecureForTests)?;
        Ok(Self { manifest, network })
    }
}

impl Engine for VitEngine {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn parameter_digest(&self) -> [u8; 32] {
        self.network.parameters().digest()
    }

    fn prepared_bytes(&self, key: usize) -> u64 {
        // Both halves instead of one, and words of 32 bits for residues of 27 or more.
        self.manifest
            .keys
            .get(key)
            .map_or(0, |key| key.bytes * 64 / 27)
    }

    fn open(self: Arc<Self>) -> Box<dyn KeyRing> {
        let keys = EvaluationKeySet::new(self.network.parameters());
        Box::new(VitKeys { engine: self, keys })
    }

    fn check_query(&self, payload: &[u8]) -> Result<(), Problem> {
        let (parameters, spec) = (self.network.parameters(), &self.manifest.query.spec);
        SeededCiphertext::from_bytes(parameters, spec, payload)
            .map(drop)
            .map_err(unsound)
    }
}

struct VitKeys {
    engine: Arc<VitEngine>,
    keys: EvaluationKeySet,
}

impl KeyRing for VitKeys {
    fn insert(&mut self, key: usize, payload: &[u8]) -> Result<(), Problem> {
        let entry = self.engine.manifest.keys.get(key);
        let entry = entry.ok_or_else(|| Problem::new(ProblemKind::UnknownKey, key))?;
        let parameters = self.engine.network.parameters();
        let key = SeededKey::from_bytes(parameters, &entry.spec, payload).map_err(unsound)?;
        self.keys.insert(&key);
        Ok(())
    }

    fn evaluate(&self, query: &[u8], watch: Watch<'_>) -> Result<Vec<u8>, Stopped> {
        let VitEngine { manifest, network } = &*self.engine;
        let parameters = network.parameters();
        let query = SeededCiphertext::from_bytes(parameters, &manifest.query.spec, query)
            .map_err(|error| Stopped::Failed(error.to_string()))?
            .expand(parameters);
        let mut step = |progress: transformer::Progress<'_>| -> ControlFlow<()> {
            watch(progress.layer, progress.done)
        };
        match network.evaluate(&self.keys, &query, &mut step) {
            Ok(result) => Ok(result.to_bytes(parameters)),
            Err(error) if error.is_cancelled() => Err(Stopped::Cancelled),
            Err(error) => Err(Stopped::Failed(error.to_string())),
        }
    }
}

fn describe(
    network: &EncryptedVit,
    config: &Config,
    labels: Vec<String>,
    weights: Digest,
) -> Result<Manifest, LoadError> {
    let (parameters, plan) = (network.parameters(), network.plan());
    let keys: Vec<_> = plan
        .circuit
        .keys
        .iter()
        .map(|spec| key_entry(spec, parameters))
        .collect();
    let query_bytes = SeededCiphertext::wire_bytes(parameters, &plan.query)?;
    let result_bytes = Ciphertext::wire_bytes(parameters, &plan.result)?;
    let ring = parameters.degree() as f64 / f64::from(1 << 15);
    Ok(Manifest {
        protocol: PROTOCOL,
        model: config.name.clone(),
        weights,
        parameters: ParameterSet {
            name: parameters.name().to_owned(),
            digest: Hex(parameters.digest()),
            log_n: parameters.log_n(),
            log_qp: parameters.log_qp(),
            security: Security {
                bits: parameters.security_bits(),
                source: SECURITY_SOURCE.to_owned(),
            },
        },
        configuration: configuration_digest(&parameters.digest(), &plan.circuit.keys),
        evaluation_key_bytes: keys.iter().map(|key| key.bytes).sum(),
        keys,
        query: Object {
            spec: plan.query,
            layout: layout(&plan.query_layout),
            bytes: container_bytes(query_bytes),
        },
        result: Object {
            spec: plan.result,
            layout: layout(&plan.result_layout),
            bytes: container_bytes(result_bytes),
        },
        task: Task::Classify(Classify {
            preprocessing: preprocessing(&config.preprocessing),
            labels,
            accuracy: Accuracy {
                top1: config.accuracy.top1,
                top5: config.accuracy.top5,
                images: config.accuracy.images as u64,
            },
        }),
        expected_seconds: plan.circuit.cost() * ring * SECONDS_PER_COST,
    })
}

fn key_entry(spec: &KeySpec, parameters: &Parameters) -> KeyEntry {
    let bytes = container_bytes(spec.wire_bytes(parameters));
    KeyEntry {
        name: spec.name(),
        spec: *spec,
        bytes,
    }
}

// Numbers beyond u32 saturate to layouts that the manifest's examination refuses.
fn layout(layout: &SlotLayout) -> Layout {
    let axes = layout.axes.iter().map(|axis| Axis {
        size: narrow(axis.size),
        stride: narrow(axis.stride),
        part: if axis.imaginary {
            Part::Imaginary
        } else {
            Part::Real
        },
    });
    Layout {
        tokens: narrow(layout.tokens),
        values: narrow(layout.values),
        token_stride: narrow(layout.token_stride),
        axes: axes.collect(),
    }
}

fn preprocessing(steps: &model::Preprocessing) -> Preprocessing {
    Preprocessing {
        size: narrow(steps.size),
        mean: steps.mean,
        std: steps.std,
        pad: narrow(steps.pad),
        patch: narrow(steps.patch),
        stride: narrow(steps.stride),
    }
}

fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|source| LoadError::Read {
        path: path.display().to_string(),
        source,
    })
}

fn unsound(error: WireError) -> Problem {
    Problem::new(ProblemKind::BadContainer, error)
}
