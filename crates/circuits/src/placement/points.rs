//! The places of one reading, counted as they are passed.

use super::Refreshing;
use crate::{CircuitError, Evaluator};
use std::{cell::Cell, sync::Arc};

/// What a reading knows of its places; nothing is done at them by default.
pub(crate) struct Points<P> {
    refreshing: Option<Arc<Refreshing<P>>>,
    passed: Cell<usize>,
}

impl<P> Default for Points<P> {
    fn default() -> Self {
        Self {
            refreshing: None,
            passed: Cell::new(0),
        }
    }
}

impl<P> Points<P> {
    pub(crate) fn new(refreshing: Arc<Refreshing<P>>) -> Self {
        Self {
            refreshing: Some(refreshing),
            passed: Cell::new(0),
        }
    }

    /// How far beyond their bounds values at the next place may lie, in bits, where the placement refreshes there.
    pub(crate) fn room(&self) -> Option<f64> {
        let refreshing = self.refreshing.as_ref()?;
        refreshing
            .placement
            .steps
            .get(self.passed.get())?
            .as_ref()?;
        Some(refreshing.bootstrapping.room())
    }

    /// What lives at the next place, refreshed if the placement says so.
    pub(crate) fn pass<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        live: Vec<(E::Ciphertext, f64)>,
    ) -> Result<Vec<E::Ciphertext>, CircuitError> {
        let index = self.passed.replace(self.passed.get() + 1);
        let Some(refreshing) = &self.refreshing else {
            return Ok(live.into_iter().map(|(x, _)| x).collect());
        };
        let levels = live.iter().map(|(x, _)| evaluator.level_of(x));
        let lowest = levels.min().unwrap_or(0);
        let step = refreshing.placement.steps.get(index).copied().flatten();
        live.into_iter()
            .map(|(x, bound)| match step {
                Some(level) => refreshing.refreshed(evaluator, &x, bound, level),
                None if evaluator.level_of(&x) > lowest => evaluator.drop_to(&x, lowest),
                None => Ok(x),
            })
            .collect()
    }
}
