//! A model ready to be evaluated on ciphertexts: planned, its weights encoded now or later.

use crate::{Network, SlotLayout, TransformerError};
use circuits::ckks::{
    Ciphertext, CiphertextSpec, EvaluationKeySet, Evaluator, Parameters, Plaintext, Subring,
};
use circuits::{
    CircuitError, CkksEncoding, Encrypted, NoEncoding, Operation, PlaintextEncoder, Plan, Planner,
    Shape, in_pool,
};
use std::{ops::ControlFlow, sync::OnceLock};

/// A network under parameters.
pub struct EncryptedModel<N> {
    parameters: Parameters,
    network: N,
    plan: ModelPlan,
    encoded: OnceLock<Result<(), TransformerError>>,
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
        let plan = plan(parameters, CkksEncoding, &network)?;
        Ok(Self {
            parameters: parameters.clone(),
            network,
            plan,
            encoded: OnceLock::from(Ok(())),
        })
    }

    /// As [`EncryptedModel::new`], but plans on `sketch`, the same network over scales alone, and leaves the weights to
    /// [`EncryptedModel::encode`]. Its plan knows no [`Plan::plaintext_bytes`].
    pub fn unencoded(
        parameters: &Parameters,
        sketch: &impl Network<Plaintext = f64>,
        network: N,
    ) -> Result<Self, TransformerError> {
        Ok(Self {
            parameters: parameters.clone(),
            network,
            plan: plan(parameters, NoEncoding, sketch)?,
            encoded: OnceLock::new(),
        })
    }

    /// Encodes the weights, once: seconds, and more memory than anything else of a model. [`EncryptedModel::evaluate`] does it
    /// where nobody has. Whoever comes while another thread is at it waits.
    pub fn encode(&self) -> Result<(), TransformerError> {
        let encode = || plan(&self.parameters, CkksEncoding, &self.network).map(drop);
        self.encoded.get_or_init(encode).clone()
    }

    /// Whether [`EncryptedModel::encode`] has come to its end.
    pub fn is_encoded(&self) -> bool {
        self.encoded.get().is_some()
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
        self.encode()?;
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

/// The plan; an encoder that encodes leaves the weights encoded in the network.
fn plan<E: PlaintextEncoder>(
    parameters: &Parameters,
    encoder: E,
    network: &impl Network<Plaintext = E::Plaintext>,
) -> Result<ModelPlan, TransformerError> {
    let differ = |what, needed, found| TransformerError::Parameters {
        what,
        needed,
        found,
    };
    let (slots, levels) = (network.packing().slots(), network.query_level());
    if slots != parameters.slots() {
        return Err(differ("slots", slots, parameters.slots()));
    }
    if levels > parameters.max_level() {
        return Err(differ("levels", levels, parameters.max_level()));
    }
    let query = CiphertextSpec {
        level: levels,
        log_scale: (parameters.scale() * network.query_scale()).log2(),
        subring: network.query_subring(),
    };
    let planner = Planner::new(parameters, encoder);
    let fresh = Shape::fresh(query.level, query.log_scale.exp2());
    let result = network.evaluate(&planner, &fresh)?;
    Ok(ModelPlan {
        circuit: planner.into_plan(),
        query,
        query_layout: network.query_layout(),
        result: CiphertextSpec {
            level: result.level,
            log_scale: result.scale.log2(),
            subring: Subring::Full,
        },
        result_layout: network.result_layout(),
    })
}

impl TransformerError {
    /// Whether the watcher asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Circuit(CircuitError::Cancelled))
    }
}
