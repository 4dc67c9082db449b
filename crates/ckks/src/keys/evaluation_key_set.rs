//! The evaluation keys of one client, as the server holds them.

use super::{KeyKind, KeySpec, SeededKey, SwitchingKey};
use crate::{EvaluatorError, Parameters};
use std::collections::BTreeMap;

/// Prepared keys by kind.
pub struct EvaluationKeySet {
    parameters: Parameters,
    keys: BTreeMap<KeyKind, SwitchingKey>,
}

impl EvaluationKeySet {
    /// A set without keys.
    pub fn new(parameters: &Parameters) -> Self {
        Self {
            parameters: parameters.clone(),
            keys: BTreeMap::new(),
        }
    }

    /// Prepares a key and adds it, in place of one of the same kind.
    pub fn insert(&mut self, key: &SeededKey) {
        self.keys
            .insert(key.spec.kind, SwitchingKey::prepare(&self.parameters, key));
    }

    /// Whether a key of this kind is there, for this level or higher.
    pub fn contains(&self, spec: &KeySpec) -> bool {
        self.keys
            .get(&spec.kind)
            .is_some_and(|key| key.spec.level >= spec.level)
    }

    /// The keys of a list that are not there.
    pub fn missing(&self, specs: &[KeySpec]) -> Vec<KeySpec> {
        specs
            .iter()
            .filter(|spec| !self.contains(spec))
            .copied()
            .collect()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.keys.values().map(SwitchingKey::heap_bytes).sum()
    }

    pub(crate) fn get(&self, spec: KeySpec) -> Result<&SwitchingKey, EvaluatorError> {
        self.keys
            .get(&spec.kind)
            .filter(|key| key.spec.level >= spec.level)
            .ok_or(EvaluatorError::MissingKey(spec))
    }
}
