//! The third reading: levels, scales, keys and cost, without any ciphertext.

use crate::{
    CircuitError, Evaluator, Operation, OperationKind, Refreshing, Shape, Survey, placement::Points,
};
use ckks::{Complex64, EvaluatorError, KeyKind, KeySpec, Parameters, Plaintext};
use std::{cell::RefCell, sync::Arc};

/// Whether planning encodes the plaintexts for the encrypted reading, or passes over them.
pub trait PlaintextEncoder {
    /// What a vector is encoded to.
    type Plaintext;
    /// Encodes; `None` when a value does not fit the scale.
    fn encode(
        &self,
        parameters: &Parameters,
        slots: &[Complex64],
        scale: f64,
    ) -> Option<Self::Plaintext>;
    /// The scale it was encoded at.
    fn scale(plaintext: &Self::Plaintext) -> f64;
    /// The memory it takes, where it is kept.
    fn bytes(_: &Self::Plaintext) -> usize {
        0
    }
}

/// Encodes for the encrypted reading, at the scales that the plan finds.
pub struct CkksEncoding;

impl PlaintextEncoder for CkksEncoding {
    type Plaintext = Plaintext;

    fn encode(
        &self,
        parameters: &Parameters,
        slots: &[Complex64],
        scale: f64,
    ) -> Option<Plaintext> {
        Plaintext::encode(parameters, slots, scale)
    }

    fn scale(plaintext: &Plaintext) -> f64 {
        plaintext.scale()
    }

    fn bytes(plaintext: &Plaintext) -> usize {
        plaintext.heap_bytes()
    }
}

/// Plans without encoding: a plaintext is its scale.
pub struct NoEncoding;

impl PlaintextEncoder for NoEncoding {
    type Plaintext = f64;

    fn encode(&self, _: &Parameters, _: &[Complex64], scale: f64) -> Option<f64> {
        Some(scale)
    }

    fn scale(plaintext: &f64) -> f64 {
        *plaintext
    }
}

/// Reads a circuit for what it needs.
pub struct Planner<E: PlaintextEncoder = NoEncoding> {
    parameters: Parameters,
    encoder: E,
    plan: RefCell<Plan>,
    points: Points<E::Plaintext>,
    survey: RefCell<Option<Survey>>,
}

/// What a circuit needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The keys, each at the highest level of its use.
    pub keys: Vec<KeySpec>,
    /// The layers in order.
    pub layers: Vec<LayerCost>,
    /// Vectors encoded while planning: the diagonals of linear maps, which are kept, and some tens of others.
    pub plaintexts: usize,
    /// The memory that they take.
    pub plaintext_bytes: usize,
    /// The operations in order.
    pub operations: Vec<Operation>,
    /// The cost of the longest chain of operations in which each waits for the one before: no number of cores that work on whole
    /// operations is faster.
    pub critical_path: f64,
    /// Where the largest values have the least room.
    pub tightest: Option<Room>,
}

/// How large a value may be in the result of an operation before it wraps around the modulus.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// The layer.
    pub layer: String,
    /// The operation.
    pub operation: &'static str,
    /// log2 of the bound on slots.
    pub bits: f64,
}

impl Room {
    /// Keeps the least.
    fn least(room: &mut Option<Self>, layer: &str, operation: &'static str, bits: f64) {
        if room.as_ref().is_none_or(|least| bits < least.bits) {
            *room = Some(Self {
                layer: layer.into(),
                operation,
                bits,
            });
        }
    }
}

/// The operations of one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerCost {
    /// Its name.
    pub name: String,
    /// Cost in the unit of [`Operation::cost`].
    pub cost: f64,
    /// Rotations and conjugations.
    pub rotations: usize,
    /// Relinearisations.
    pub relinearizations: usize,
    /// Products of ciphertexts.
    pub products: usize,
    /// Products with plaintexts.
    pub plain_products: usize,
    /// The level at its last operation.
    pub level: usize,
}

impl Plan {
    /// The cost of all layers.
    pub fn cost(&self) -> f64 {
        self.layers.iter().map(|layer| layer.cost).sum()
    }
}

impl Plan {
    /// The cost on so many cores that share the limbs of one operation after the other, as [`crate::Encrypted`] works.
    pub fn cost_on(&self, cores: usize, parameters: &Parameters) -> f64 {
        let cost = |operation: &Operation| {
            let limbs = operation.limbs(parameters);
            operation.cost(parameters) * limbs.div_ceil(cores) as f64 / limbs as f64
        };
        self.operations.iter().map(cost).sum()
    }
}

impl<E: PlaintextEncoder> Planner<E> {
    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// A planner for these parameters.
    pub fn new(parameters: &Parameters, encoder: E) -> Self {
        Self {
            parameters: parameters.clone(),
            encoder,
            plan: RefCell::default(),
            points: Points::default(),
            survey: RefCell::default(),
        }
    }

    /// The same, of a circuit that is refreshed at its places.
    pub fn refreshing(self, refreshing: Arc<Refreshing<E::Plaintext>>) -> Self {
        Self {
            points: Points::new(refreshing),
            ..self
        }
    }

    /// A planner that reads each segment of a circuit between two places from the highest level on; the circuit begins there.
    pub fn surveying(parameters: &Parameters, encoder: E) -> Self {
        let mut survey = Survey::default();
        survey.begin(parameters.max_level(), 1);
        Self {
            survey: RefCell::new(Some(survey)),
            ..Self::new(parameters, encoder)
        }
    }

    /// What was surveyed, with what the circuit came to.
    pub fn into_survey(self, result: &Shape) -> Survey {
        let mut survey = self.survey.into_inner().unwrap_or_default();
        survey.end(result.level);
        survey
    }

    /// What the circuits read so far need.
    pub fn into_plan(self) -> Plan {
        self.plan.into_inner()
    }

    fn record(
        &self,
        kind: OperationKind,
        level: usize,
        shape: Result<Shape, EvaluatorError>,
    ) -> Result<Shape, CircuitError> {
        let operation = Operation { kind, level };
        let mut plan = self.plan.borrow_mut();
        if plan.layers.is_empty() {
            plan.layers.push(LayerCost::default());
        }
        let Plan {
            keys,
            layers,
            operations,
            critical_path,
            tightest,
            ..
        } = &mut *plan;
        let current = layers.len() - 1;
        let layer = &mut layers[current];
        if let Some(spec) = operation.key(&self.parameters) {
            match keys.iter_mut().find(|key| key.kind == spec.kind) {
                Some(key) => key.level = key.level.max(spec.level),
                None => keys.push(spec),
            }
            match spec.kind {
                KeyKind::Relinearization => layer.relinearizations += 1,
                KeyKind::Galois(_) => layer.rotations += 1,
                KeyKind::ToEphemeral | KeyKind::FromEphemeral => {}
            }
        }
        match kind {
            OperationKind::Dot(terms) => layer.products += terms,
            OperationKind::DotPlain(terms) => layer.plain_products += terms,
            _ => {}
        }
        let cost = operation.cost(&self.parameters);
        layer.cost += cost;
        operations.push(operation);
        let mut shape = shape.map_err(|source| CircuitError::Operation {
            layer: layer.name.clone(),
            operation: operation.name(),
            source,
        })?;
        layer.level = shape.level;
        shape.path += cost;
        if let Some(survey) = &mut *self.survey.borrow_mut() {
            survey.record(operation, &shape);
        }
        *critical_path = critical_path.max(shape.path);
        // Coefficients are at most the largest slot, and must stay below half of the modulus.
        let bits = self.parameters.log_q(shape.level) - 1.0 - shape.scale.log2();
        Room::least(tightest, &layer.name, operation.name(), bits);
        Ok(shape)
    }

    /// The next place. A refresh works on values as a part of its interval, so that the room at its start is the bound's, not its operations'.
    fn pass(&self, live: Vec<(Shape, f64)>) -> Result<Vec<Shape>, CircuitError> {
        let Some(room) = self.points.room() else {
            return self.points.pass(self, live);
        };
        let bounds = live.iter().map(|&(_, bound)| bound);
        let bits = room + bounds.fold(f64::INFINITY, f64::min).log2();
        let mut tightest = self.plan.borrow_mut().tightest.take();
        let layer = self.plan.borrow().layers.last().map(|l| l.name.clone());
        Room::least(&mut tightest, &layer.unwrap_or_default(), "refresh", bits);
        let fresh = self.points.pass(self, live);
        self.plan.borrow_mut().tightest = tightest;
        fresh
    }
}

impl<E: PlaintextEncoder> Evaluator for Planner<E> {
    type Ciphertext = Shape;
    type Plaintext = E::Plaintext;

    fn layer(&self, name: &str) {
        self.plan.borrow_mut().layers.push(LayerCost {
            name: name.into(),
            ..LayerCost::default()
        });
    }

    fn slots(&self) -> usize {
        self.parameters.slots()
    }

    fn prime(&self, level: usize) -> f64 {
        self.parameters.prime(level)
    }

    fn scale(&self) -> f64 {
        self.parameters.scale()
    }

    fn level_of(&self, a: &Shape) -> usize {
        a.level
    }

    fn scale_of(&self, a: &Shape) -> f64 {
        a.scale
    }

    fn encode(&self, slots: &[Complex64], scale: f64) -> Result<E::Plaintext, CircuitError> {
        let mut plan = self.plan.borrow_mut();
        let encoded = self.encoder.encode(&self.parameters, slots, scale);
        let encoded = encoded.ok_or_else(|| CircuitError::Encoding {
            layer: plan
                .layers
                .last()
                .map(|layer| layer.name.clone())
                .unwrap_or_default(),
            log_scale: scale.log2(),
        })?;
        plan.plaintexts += 1;
        plan.plaintext_bytes += E::bytes(&encoded);
        Ok(encoded)
    }

    fn add(&self, a: &Shape, b: &Shape) -> Result<Shape, CircuitError> {
        self.record(
            OperationKind::Add,
            a.level.min(b.level),
            Shape::sum(&[*a, *b]),
        )
    }

    fn sub(&self, a: &Shape, b: &Shape) -> Result<Shape, CircuitError> {
        self.add(a, b)
    }

    fn add_plain(&self, a: &Shape, p: &E::Plaintext) -> Result<Shape, CircuitError> {
        let plain = Shape {
            scale: E::scale(p),
            ..*a
        };
        self.record(OperationKind::AddPlain, a.level, Shape::sum(&[*a, plain]))
    }

    fn mul_i(&self, a: &Shape) -> Result<Shape, CircuitError> {
        self.record(OperationKind::Add, a.level, Ok(*a))
    }

    fn scaled(&self, a: &Shape, factor: f64) -> Shape {
        a.times(factor)
    }

    fn drop_to(&self, a: &Shape, level: usize) -> Result<Shape, CircuitError> {
        self.record(OperationKind::Drop, level, a.dropped(level))
    }

    fn dot(&self, a: &[&Shape], b: &[&Shape]) -> Result<Shape, CircuitError> {
        let (a, b): (Vec<Shape>, Vec<Shape>) = (
            a.iter().map(|&&s| s).collect(),
            b.iter().map(|&&s| s).collect(),
        );
        let level = a.iter().chain(&b).map(|s| s.level).min().unwrap_or(0);
        self.record(
            OperationKind::Dot(a.len()),
            level,
            Shape::dot(&self.parameters, &a, &b),
        )
    }

    fn dot_plain(&self, a: &[&Shape], p: &[&E::Plaintext]) -> Result<Shape, CircuitError> {
        let a: Vec<Shape> = a.iter().map(|&&s| s).collect();
        let level = a.iter().map(|s| s.level).min().unwrap_or(0);
        let scale = p.first().map_or(1.0, |p| E::scale(p));
        self.record(
            OperationKind::DotPlain(a.len()),
            level,
            Shape::dot_plain(&self.parameters, &a, scale),
        )
    }

    fn relinearize(&self, a: &Shape) -> Result<Shape, CircuitError> {
        self.record(OperationKind::Relinearize, a.level, a.relinearized())
    }

    fn combine(&self, terms: &[(f64, &Shape)], _: f64, scale: f64) -> Result<Shape, CircuitError> {
        let terms: Vec<Shape> = terms.iter().map(|(_, shape)| **shape).collect();
        self.record(
            OperationKind::Combine(terms.len()),
            terms.iter().map(|shape| shape.level).min().unwrap_or(0),
            Shape::combined(&self.parameters, &terms, scale),
        )
    }

    fn rescale_by(&self, a: &Shape, primes: usize) -> Result<Shape, CircuitError> {
        self.record(
            OperationKind::Rescale(primes),
            a.level,
            a.rescaled(&self.parameters, primes),
        )
    }

    fn mod_raise(&self, a: &Shape) -> Result<Shape, CircuitError> {
        let (parameters, top) = (&self.parameters, self.parameters.max_level());
        let sparse = a.encapsulated(parameters);
        let sparse = self.record(OperationKind::Encapsulate, a.level, sparse)?;
        let raised = self.record(OperationKind::Raise, top, Ok(sparse.raised(parameters)))?;
        self.record(OperationKind::Decapsulate, top, Ok(raised))
    }

    fn refresh_point(&self, live: Vec<(Shape, f64)>) -> Result<Vec<Shape>, CircuitError> {
        let Some(survey) = &mut *self.survey.borrow_mut() else {
            return self.pass(live);
        };
        let top = self.parameters.max_level();
        survey.end(live.iter().map(|(x, _)| x.level).min().unwrap_or(0));
        survey.begin(top, live.len());
        let raised = |(x, _): (Shape, f64)| Shape { level: top, ..x };
        Ok(live.into_iter().map(raised).collect())
    }

    fn rotate(&self, a: &Shape, steps: i64) -> Result<Shape, CircuitError> {
        self.record(OperationKind::Rotate(steps), a.level, a.with_parts(2))
    }

    fn conjugate(&self, a: &Shape) -> Result<Shape, CircuitError> {
        self.record(OperationKind::Conjugate, a.level, a.with_parts(2))
    }
}
