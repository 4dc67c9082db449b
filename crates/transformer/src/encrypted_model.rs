//! A model ready to be evaluated on ciphertexts: planned, its weights encoded now or later.

use crate::{Network, SlotLayout, TransformerError, network::RESULT_LEVEL};
use circuits::ckks::{
    Ciphertext, CiphertextSpec, EvaluationKeySet, Evaluator, Parameters, Plaintext, Subring,
};
use circuits::{
    BootstrappingSettings, CircuitError, CkksEncoding, Encrypted, NoEncoding, Operation, Placement,
    PlaintextEncoder, Plan, Planner, Refreshing, Shape, in_pool,
};
use std::{
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

/// A network under parameters.
pub struct EncryptedModel<N> {
    parameters: Parameters,
    network: N,
    plan: ModelPlan,
    refreshing: Option<Arc<Refreshing<Plaintext>>>,
    /// The memory of the encoded weights.
    encoded: OnceLock<Result<usize, TransformerError>>,
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
    /// Plans the model without bootstrapping and encodes its weights at the scales of the plan.
    ///
    /// Running out of levels, a scale without room and an architecture that the packing does not take are errors here, never
    /// later.
    pub fn new(parameters: &Parameters, network: N) -> Result<Self, TransformerError> {
        check_levels(parameters, &network)?;
        let plan = plan(parameters, CkksEncoding, &network, None)?;
        let bytes = plan.circuit.plaintext_bytes;
        Ok(Self {
            parameters: parameters.clone(),
            network,
            plan,
            refreshing: None,
            encoded: OnceLock::from(Ok(bytes)),
        })
    }

    /// Plans the model, bootstrapped where that is cheapest if the parameters have an ephemeral secret, and leaves its weights to
    /// [`EncryptedModel::encode`]. `sketch` makes the network once more, over scales alone; the plan knows no [`Plan::plaintext_bytes`].
    pub fn planned<S: Network<Plaintext = f64>>(
        parameters: &Parameters,
        network: N,
        sketch: impl Fn() -> Result<S, TransformerError>,
    ) -> Result<Self, TransformerError> {
        let plan = sketched(parameters, &sketch)?;
        let settings = BootstrappingSettings::real(parameters);
        let refreshing = |placement| Refreshing::new(parameters, &settings, placement);
        let refreshing = plan.placement.clone().map(refreshing).transpose()?;
        Ok(Self {
            parameters: parameters.clone(),
            network,
            plan,
            refreshing: refreshing.map(Arc::new),
            encoded: OnceLock::new(),
        })
    }

    /// Encodes the weights, once: seconds, and more memory than anything else of a model, whose bytes are returned.
    /// [`EncryptedModel::evaluate`] does it where nobody has. Whoever comes while another thread is at it waits.
    pub fn encode(&self) -> Result<usize, TransformerError> {
        let encode = || {
            let refreshing = self.refreshing.clone();
            let plan = plan(&self.parameters, CkksEncoding, &self.network, refreshing)?;
            Ok(plan.circuit.plaintext_bytes)
        };
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
            let reading = match &self.refreshing {
                None => reading,
                Some(refreshing) => reading.refreshing(refreshing.clone()),
            };
            Ok(self.network.evaluate(&reading, query)?)
        })
    }
}

/// The plan of a network over scales alone, bootstrapped where that is cheapest if the parameters have an ephemeral secret.
pub(crate) fn sketched<S: Network<Plaintext = f64>>(
    parameters: &Parameters,
    sketch: impl Fn() -> Result<S, TransformerError>,
) -> Result<ModelPlan, TransformerError> {
    let network = sketch()?;
    if parameters.encapsulation().is_none() {
        check_levels(parameters, &network)?;
        return plan(parameters, NoEncoding, &network, None);
    }
    check_slots(parameters, &network)?;
    let settings = BootstrappingSettings::real(parameters);
    let placement = cheapest(parameters, &settings, &network)?;
    let refreshing = Refreshing::new(parameters, &settings, placement)?;
    plan(
        parameters,
        NoEncoding,
        &sketch()?,
        Some(Arc::new(refreshing)),
    )
}

/// The plan; an encoder that encodes leaves the weights encoded in the network.
fn plan<E: PlaintextEncoder>(
    parameters: &Parameters,
    encoder: E,
    network: &impl Network<Plaintext = E::Plaintext>,
    refreshing: Option<Arc<Refreshing<E::Plaintext>>>,
) -> Result<ModelPlan, TransformerError> {
    let placement = refreshing.as_ref().map(|r| r.placement().clone());
    let level = placement.as_ref().map(|placement| placement.level);
    let query = CiphertextSpec {
        level: level.unwrap_or(network.query_level()),
        log_scale: (parameters.scale() * network.query_scale()).log2(),
        subring: network.query_subring(),
    };
    let planner = match refreshing {
        None => Planner::new(parameters, encoder),
        Some(refreshing) => Planner::new(parameters, encoder).refreshing(refreshing),
    };
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
        placement,
    })
}

/// Where bootstrapping is cheapest. The sketch is read before levels and so scales are known: it plans nothing else.
fn cheapest(
    parameters: &Parameters,
    settings: &BootstrappingSettings,
    sketch: &impl Network<Plaintext = f64>,
) -> Result<Placement, TransformerError> {
    let planner = Planner::surveying(parameters, NoEncoding);
    let scale = parameters.scale() * sketch.query_scale();
    let result = sketch.evaluate(&planner, &Shape::fresh(parameters.max_level(), scale))?;
    let survey = planner.into_survey(&result);
    Ok(Placement::cheapest(
        parameters,
        settings,
        &survey,
        RESULT_LEVEL,
    )?)
}

fn check_levels<N: Network>(parameters: &Parameters, network: &N) -> Result<(), TransformerError> {
    check_slots(parameters, network)?;
    check(
        "levels",
        network.query_level(),
        parameters.max_level(),
        usize::le,
    )
}

fn check_slots<N: Network>(parameters: &Parameters, network: &N) -> Result<(), TransformerError> {
    check(
        "slots",
        network.packing().slots(),
        parameters.slots(),
        usize::eq,
    )
}

fn check(
    what: &'static str,
    needed: usize,
    found: usize,
    fits: impl Fn(&usize, &usize) -> bool,
) -> Result<(), TransformerError> {
    match fits(&needed, &found) {
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
