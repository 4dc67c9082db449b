//! A model ready to be evaluated on ciphertexts: planned, its weights encoded.

use crate::{Network, SlotLayout, TransformerError, network::RESULT_LEVEL};
use circuits::ckks::{
    Ciphertext, CiphertextSpec, EvaluationKeySet, Evaluator, Parameters, Plaintext, Subring,
};
use circuits::{
    BootstrappingSettings, CircuitError, CkksEncoding, Encrypted, NoEncoding, Operation, Placement,
    Plan, Planner, Refreshing, Shape, in_pool,
};
use std::{ops::ControlFlow, sync::Arc};

/// A network under parameters.
pub struct EncryptedModel<N> {
    parameters: Parameters,
    network: N,
    plan: ModelPlan,
    refreshing: Option<Arc<Refreshing<Plaintext>>>,
}

/// What a client and a server need to know before the first ciphertext.
#[derive(Clone, Debug)]
pub struct ModelPlan {
    /// Keys, layers and cost.
    pub circuit: Plan,
    /// The query.
    pub query: CiphertextSpec,
    /// Where the query holds its values.
    pub query_layout: SlotLayout,
    /// The result.
    pub result: CiphertextSpec,
    /// Where the result holds its values.
    pub result_layout: SlotLayout,
    /// Where the circuit bootstraps, if its parameters let it.
    pub placement: Option<Placement>,
}

/// How far an evaluation is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'l> {
    /// The layer at work.
    pub layer: &'l str,
    /// Share of the planned cost that is done, 0 to 1.
    pub done: f64,
}

impl<N: Network<Plaintext = Plaintext>> EncryptedModel<N> {
    /// Plans the model and encodes its weights at the scales of the plan.
    ///
    /// Running out of levels, a scale without room and an architecture that the packing does not take are errors here, never
    /// later.
    pub fn new(parameters: &Parameters, network: N) -> Result<Self, TransformerError> {
        check_slots(parameters, &network)?;
        let (needed, found) = (network.query_level(), parameters.max_level());
        if needed > found {
            let what = "levels";
            return Err(TransformerError::Parameters {
                what,
                needed,
                found,
            });
        }
        Self::planned(parameters, network, None)
    }

    /// The same, bootstrapped where that is cheapest if the parameters have an ephemeral secret. `survey` makes the network once more, without
    /// plaintexts: it is read before levels and so scales are known.
    pub fn refreshed<S: Network<Plaintext = f64>>(
        parameters: &Parameters,
        network: N,
        survey: impl FnOnce() -> Result<S, TransformerError>,
    ) -> Result<Self, TransformerError> {
        if parameters.encapsulation().is_none() {
            return Self::new(parameters, network);
        }
        check_slots(parameters, &network)?;
        let planner = Planner::surveying(parameters, NoEncoding);
        let scale = parameters.scale() * network.query_scale();
        let result = survey()?.evaluate(&planner, &Shape::fresh(parameters.max_level(), scale))?;
        let settings = BootstrappingSettings::real(parameters);
        let survey = planner.into_survey(&result);
        let placement = Placement::cheapest(parameters, &settings, &survey, RESULT_LEVEL)?;
        let refreshing = Refreshing::new(parameters, &settings, placement)?;
        Self::planned(parameters, network, Some(Arc::new(refreshing)))
    }

    fn planned(
        parameters: &Parameters,
        network: N,
        refreshing: Option<Arc<Refreshing<Plaintext>>>,
    ) -> Result<Self, TransformerError> {
        let placement = refreshing.as_ref().map(|r| r.placement().clone());
        let level = placement.as_ref().map(|placement| placement.level);
        let query = CiphertextSpec {
            level: level.unwrap_or(network.query_level()),
            log_scale: (parameters.scale() * network.query_scale()).log2(),
            subring: network.query_subring(),
        };
        let planner = match &refreshing {
            None => Planner::new(parameters, CkksEncoding),
            Some(r) => Planner::new(parameters, CkksEncoding).refreshing(r.clone()),
        };
        let fresh = Shape::fresh(query.level, query.log_scale.exp2());
        let result = network.evaluate(&planner, &fresh)?;
        let plan = ModelPlan {
            circuit: planner.into_plan(),
            query,
            query_layout: network.query_layout(),
            result: CiphertextSpec {
                level: result.level,
                log_scale: result.scale.log2(),
                subring: Subring::Full,
            },
            result_layout: network.result_layout(),
            placement,
        };
        Ok(Self {
            parameters: parameters.clone(),
            network,
            plan,
            refreshing,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &ModelPlan {
        &self.plan
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The result of an encrypted query. `watch` is called before every operation; `Break` ends in [`CircuitError::Cancelled`].
    pub fn evaluate(
        &self,
        keys: &EvaluationKeySet,
        query: &Ciphertext,
        watch: &mut (dyn FnMut(Progress<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Ciphertext, TransformerError>
    where
        N: Sync,
    {
        let total = self.plan.circuit.cost();
        let mut cost = 0.0;
        let mut observer = |layer: &str, operation: Operation| {
            let verdict = watch(Progress {
                layer,
                done: cost / total,
            });
            cost += operation.cost(&self.parameters);
            verdict
        };
        in_pool(|| {
            let reading = Encrypted::new(Evaluator::new(&self.parameters, keys), &mut observer);
            let reading = match &self.refreshing {
                None => reading,
                Some(refreshing) => reading.refreshing(refreshing.clone()),
            };
            Ok(self.network.evaluate(&reading, query)?)
        })
    }
}

fn check_slots<N: Network>(parameters: &Parameters, network: &N) -> Result<(), TransformerError> {
    let (what, needed, found) = ("slots", network.packing().slots(), parameters.slots());
    match needed == found {
        true => Ok(()),
        false => Err(TransformerError::Parameters {
            what,
            needed,
            found,
        }),
    }
}

impl TransformerError {
    /// Whether the watcher asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Circuit(CircuitError::Cancelled))
    }
}
