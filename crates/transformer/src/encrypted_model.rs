//! A model ready to be evaluated on ciphertexts: planned, its weights encoded.

use crate::{Network, SlotLayout, TransformerError};
use circuits::ckks::{
    Ciphertext, CiphertextSpec, EvaluationKeySet, Evaluator, Parameters, Plaintext, Subring,
};
use circuits::{CircuitError, CkksEncoding, Encrypted, Operation, Plan, Planner, Shape, in_pool};
use std::ops::ControlFlow;

/// A network under parameters.
pub struct EncryptedModel<N> {
    parameters: Parameters,
    network: N,
    plan: ModelPlan,
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
        let packing = network.packing();
        let differ = |what, needed, found| TransformerError::Parameters {
            what,
            needed,
            found,
        };
        if packing.slots() != parameters.slots() {
            return Err(differ("slots", packing.slots(), parameters.slots()));
        }
        if network.query_level() > parameters.max_level() {
            return Err(differ(
                "levels",
                network.query_level(),
                parameters.max_level(),
            ));
        }
        let query = CiphertextSpec {
            level: network.query_level(),
            log_scale: (parameters.scale() * network.query_scale()).log2(),
            subring: network.query_subring(),
        };
        let planner = Planner::new(parameters, CkksEncoding);
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
        };
        Ok(Self {
            parameters: parameters.clone(),
            network,
            plan,
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
            Ok(self.network.evaluate(&reading, query)?)
        })
    }
}

impl TransformerError {
    /// Whether the watcher asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Circuit(CircuitError::Cancelled))
    }
}
