//! Where a circuit deeper than its chain bootstraps, and the level that each of its parts runs at: found by cost, not written down.
//!
//! A circuit offers places ([`Evaluator::refresh_point`](crate::Evaluator::refresh_point)) and so falls into segments. A planner that surveys reads
//! it once, each segment from the highest level on, and keeps the operations; what a segment costs from a lower level follows, since operations move with
//! the level that they begin at. A shortest path over places and levels does the rest: a segment costs the less the lower it starts, a refresh as
//! many bootstrappings as ciphertexts are alive.

mod points;
mod search;
mod survey;

pub(crate) use points::Points;
pub use survey::Survey;

use crate::{
    Bootstrapping, BootstrappingSettings, CircuitError, Evaluator, NoEncoding, Operation,
    OperationKind, Planner, Shape,
};
use ckks::Parameters;
use search::Choices;

/// What is done at the places of a circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// The level that the circuit begins at.
    pub level: usize,
    /// At each place in order: the level to refresh to, or none to go on.
    pub steps: Vec<Option<usize>>,
    /// The cost of all of it, in the unit of [`crate::Operation::cost`].
    pub cost: f64,
}

/// A bootstrapping and where it stands.
pub struct Refreshing<P> {
    pub(crate) bootstrapping: Bootstrapping<P>,
    pub(crate) placement: Placement,
}

impl Placement {
    /// The cheapest for a surveyed circuit that ends at level `end` or above. Where none fits, that which comes furthest: planning the
    /// circuit with it is an error that names the operation it stops at.
    pub fn cheapest(
        parameters: &Parameters,
        settings: &BootstrappingSettings,
        survey: &Survey,
        end: usize,
    ) -> Result<Self, CircuitError> {
        let bootstrapping = Bootstrapping::<f64>::new(parameters, settings)?;
        let planner = Planner::new(parameters, NoEncoding);
        let lowest = bootstrapping.lowest_level();
        let fresh = bootstrapping.refresh(&planner, &Shape::fresh(lowest, parameters.scale()))?;
        let (refresh, kind) = (planner.into_plan().cost(), OperationKind::Drop);
        let drop = |level: usize| match level < fresh.level {
            true => Operation { kind, level }.cost(parameters),
            false => 0.0,
        };
        let choices = Choices {
            highest: parameters.max_level(),
            segments: survey.priced(parameters),
            refresh: (0..=fresh.level).map(|l| refresh + drop(l)).collect(),
            lowest,
            end,
        };
        Ok(choices.cheapest())
    }

    /// How many places refresh.
    pub fn refreshes(&self) -> usize {
        self.steps.iter().flatten().count()
    }
}

impl<P> Refreshing<P> {
    /// A bootstrapping at the places of `placement`.
    pub fn new(
        parameters: &Parameters,
        settings: &BootstrappingSettings,
        placement: Placement,
    ) -> Result<Self, CircuitError> {
        Ok(Self {
            bootstrapping: Bootstrapping::new(parameters, settings)?,
            placement,
        })
    }

    /// What is done where.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    fn refreshed<E: Evaluator<Plaintext = P>>(
        &self,
        evaluator: &E,
        x: &E::Ciphertext,
        bound: f64,
        level: usize,
    ) -> Result<E::Ciphertext, CircuitError> {
        let fresh = self.bootstrapping.refresh_within(evaluator, x, bound)?;
        match level < evaluator.level_of(&fresh) {
            true => evaluator.drop_to(&fresh, level),
            false => Ok(fresh),
        }
    }
}
