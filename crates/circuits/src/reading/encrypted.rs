//! The first reading: ciphertexts.

use crate::{CircuitError, Evaluator, Operation, OperationKind, Refreshing, placement::Points};
use ckks::{Ciphertext, Complex64, EvaluatorError, Plaintext};
use std::{cell::RefCell, ops::ControlFlow, sync::Arc};

/// What is told of every operation before it runs; `Break` cancels the circuit.
pub type Observer<'o> = dyn FnMut(&str, Operation) -> ControlFlow<()> + 'o;

/// Runs a circuit on ciphertexts.
pub struct Encrypted<'k, 'o> {
    evaluator: ckks::Evaluator<'k>,
    layer: RefCell<String>,
    observer: RefCell<&'o mut Observer<'o>>,
    points: Points<Plaintext>,
}

impl<'k, 'o> Encrypted<'k, 'o> {
    /// A reading with these keys and this observer.
    pub fn new(evaluator: ckks::Evaluator<'k>, observer: &'o mut Observer<'o>) -> Self {
        Self {
            evaluator,
            layer: RefCell::default(),
            observer: RefCell::new(observer),
            points: Points::default(),
        }
    }

    /// The same, of a circuit that is refreshed at its places.
    pub fn refreshing(self, refreshing: Arc<Refreshing<Plaintext>>) -> Self {
        Self {
            points: Points::new(refreshing),
            ..self
        }
    }

    fn run<T>(
        &self,
        kind: OperationKind,
        level: usize,
        operation: impl FnOnce() -> Result<T, EvaluatorError>,
    ) -> Result<T, CircuitError> {
        let step = Operation { kind, level };
        let layer = self.layer.borrow();
        if (self.observer.borrow_mut())(&layer, step).is_break() {
            return Err(CircuitError::Cancelled);
        }
        operation().map_err(|source| CircuitError::Operation {
            layer: layer.clone(),
            operation: step.name(),
            source,
        })
    }
}

impl Evaluator for Encrypted<'_, '_> {
    type Ciphertext = Ciphertext;
    type Plaintext = Plaintext;

    fn layer(&self, name: &str) {
        name.clone_into(&mut self.layer.borrow_mut());
    }

    fn slots(&self) -> usize {
        self.evaluator.parameters().slots()
    }

    fn prime(&self, level: usize) -> f64 {
        self.evaluator.parameters().prime(level)
    }

    fn scale(&self) -> f64 {
        self.evaluator.parameters().scale()
    }

    fn level_of(&self, a: &Ciphertext) -> usize {
        a.level()
    }

    fn scale_of(&self, a: &Ciphertext) -> f64 {
        a.scale()
    }

    fn encode(&self, slots: &[Complex64], scale: f64) -> Result<Plaintext, CircuitError> {
        Plaintext::encode(self.evaluator.parameters(), slots, scale).ok_or_else(|| {
            CircuitError::Encoding {
                layer: self.layer.borrow().clone(),
                log_scale: scale.log2(),
            }
        })
    }

    fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Add, a.level().min(b.level()), || {
            self.evaluator.add(a, b)
        })
    }

    fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Add, a.level().min(b.level()), || {
            self.evaluator.sub(a, b)
        })
    }

    fn add_plain(&self, a: &Ciphertext, p: &Plaintext) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::AddPlain, a.level(), || {
            self.evaluator.add_plain(a, p)
        })
    }

    fn mul_i(&self, a: &Ciphertext) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Add, a.level(), || {
            Ok(self.evaluator.mul_i(a))
        })
    }

    fn scaled(&self, a: &Ciphertext, factor: f64) -> Ciphertext {
        self.evaluator.scaled(a, factor)
    }

    fn drop_to(&self, a: &Ciphertext, level: usize) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Drop, level, || {
            self.evaluator.drop_to(a, level)
        })
    }

    fn dot(&self, a: &[&Ciphertext], b: &[&Ciphertext]) -> Result<Ciphertext, CircuitError> {
        self.run(
            OperationKind::Dot(a.len()),
            lowest(a).min(lowest(b)),
            || self.evaluator.dot(a, b),
        )
    }

    fn dot_plain(&self, a: &[&Ciphertext], p: &[&Plaintext]) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::DotPlain(a.len()), lowest(a), || {
            self.evaluator.dot_plain(a, p)
        })
    }

    fn relinearize(&self, a: &Ciphertext) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Relinearize, a.level(), || {
            self.evaluator.relinearize(a)
        })
    }

    fn combine(
        &self,
        terms: &[(f64, &Ciphertext)],
        constant: f64,
        scale: f64,
    ) -> Result<Ciphertext, CircuitError> {
        let level = terms.iter().map(|(_, a)| a.level()).min().unwrap_or(0);
        self.run(OperationKind::Combine(terms.len()), level, || {
            self.evaluator.combine(terms, constant, scale)
        })
    }

    fn rescale_by(&self, a: &Ciphertext, primes: usize) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Rescale(primes), a.level(), || {
            self.evaluator.rescale_by(a, primes)
        })
    }

    fn mod_raise(&self, a: &Ciphertext) -> Result<Ciphertext, CircuitError> {
        let evaluator = &self.evaluator;
        let top = evaluator.parameters().max_level();
        let sparse = self.run(OperationKind::Encapsulate, a.level(), || {
            evaluator.encapsulate(a)
        })?;
        let raised = self.run(OperationKind::Raise, top, || Ok(evaluator.raise(&sparse)))?;
        self.run(OperationKind::Decapsulate, top, || {
            evaluator.decapsulate(&raised)
        })
    }

    fn refresh_point(&self, live: Vec<(Ciphertext, f64)>) -> Result<Vec<Ciphertext>, CircuitError> {
        self.points.pass(self, live)
    }

    fn rotate(&self, a: &Ciphertext, steps: i64) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Rotate(steps), a.level(), || {
            self.evaluator.rotate(a, steps)
        })
    }

    fn conjugate(&self, a: &Ciphertext) -> Result<Ciphertext, CircuitError> {
        self.run(OperationKind::Conjugate, a.level(), || {
            self.evaluator.conjugate(a)
        })
    }
}

fn lowest(operands: &[&Ciphertext]) -> usize {
    operands.iter().map(|c| c.level()).min().unwrap_or(0)
}
