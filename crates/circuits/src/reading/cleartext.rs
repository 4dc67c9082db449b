//! The second reading: vectors of complex numbers, with the levels and scales that the ciphertexts would have.

use super::{Planner, planner::PlaintextEncoder};
use crate::{CircuitError, Evaluator, Plan, Refreshing, Shape, placement::Points};
use ckks::{Complex64, Parameters};
use std::sync::Arc;

/// Runs a circuit in the clear: fast tests of packings and layers, without any noise.
pub struct Cleartext(Planner<Vectors>, Points<Encoded>);

/// A vector and its scale.
type Encoded = (Vec<Complex64>, f64);

/// A slot vector and the shape of the ciphertext it stands for.
#[derive(Clone, Debug)]
pub struct CleartextCiphertext {
    /// The message.
    pub slots: Vec<Complex64>,
    /// Level, scale, parts.
    pub shape: Shape,
}

/// Keeps plaintexts as they are.
struct Vectors;

impl PlaintextEncoder for Vectors {
    type Plaintext = Encoded;

    fn encode(
        &self,
        parameters: &Parameters,
        slots: &[Complex64],
        scale: f64,
    ) -> Option<Self::Plaintext> {
        Some((
            slots
                .iter()
                .copied()
                .cycle()
                .take(parameters.slots())
                .collect(),
            scale,
        ))
    }

    fn scale(plaintext: &Self::Plaintext) -> f64 {
        plaintext.1
    }
}

impl Cleartext {
    /// A reading under the levels and scales of these parameters.
    pub fn new(parameters: &Parameters) -> Self {
        Self(Planner::new(parameters, Vectors), Points::default())
    }

    /// The same, of a circuit that is refreshed at its places.
    pub fn refreshing(self, refreshing: Arc<Refreshing<Encoded>>) -> Self {
        Self(self.0, Points::new(refreshing))
    }

    /// The message `slots`, repeated to fill all slots, as a fresh ciphertext.
    pub fn encrypt(&self, slots: &[Complex64], level: usize, scale: f64) -> CleartextCiphertext {
        let slots = slots.iter().copied().cycle().take(self.0.slots()).collect();
        CleartextCiphertext {
            slots,
            shape: Shape::fresh(level, scale),
        }
    }

    /// What the circuits read so far need.
    pub fn into_plan(self) -> Plan {
        self.0.into_plan()
    }

    fn each(shape: Shape, slots: impl Iterator<Item = Complex64>) -> CleartextCiphertext {
        CleartextCiphertext {
            slots: slots.collect(),
            shape,
        }
    }

    fn sum<'v>(
        &self,
        terms: impl Iterator<Item = (&'v [Complex64], &'v [Complex64])>,
    ) -> Vec<Complex64> {
        terms.fold(vec![Complex64::ZERO; self.0.slots()], |mut sum, (a, b)| {
            sum.iter_mut()
                .zip(a.iter().zip(b))
                .for_each(|(s, (x, y))| *s += x * y);
            sum
        })
    }
}

fn shapes<'c>(operands: &[&'c CleartextCiphertext]) -> Vec<&'c Shape> {
    operands.iter().map(|c| &c.shape).collect()
}

impl Evaluator for Cleartext {
    type Ciphertext = CleartextCiphertext;
    type Plaintext = Encoded;

    fn layer(&self, name: &str) {
        self.0.layer(name);
    }

    fn slots(&self) -> usize {
        self.0.slots()
    }

    fn prime(&self, level: usize) -> f64 {
        self.0.prime(level)
    }

    fn scale(&self) -> f64 {
        self.0.scale()
    }

    fn level_of(&self, a: &CleartextCiphertext) -> usize {
        a.shape.level
    }

    fn scale_of(&self, a: &CleartextCiphertext) -> f64 {
        a.shape.scale
    }

    fn encode(&self, slots: &[Complex64], scale: f64) -> Result<Self::Plaintext, CircuitError> {
        self.0.encode(slots, scale)
    }

    fn add(
        &self,
        a: &CleartextCiphertext,
        b: &CleartextCiphertext,
    ) -> Result<CleartextCiphertext, CircuitError> {
        Ok(Self::each(
            self.0.add(&a.shape, &b.shape)?,
            a.slots.iter().zip(&b.slots).map(|(x, y)| x + y),
        ))
    }

    fn sub(
        &self,
        a: &CleartextCiphertext,
        b: &CleartextCiphertext,
    ) -> Result<CleartextCiphertext, CircuitError> {
        Ok(Self::each(
            self.0.sub(&a.shape, &b.shape)?,
            a.slots.iter().zip(&b.slots).map(|(x, y)| x - y),
        ))
    }

    fn add_plain(
        &self,
        a: &CleartextCiphertext,
        p: &Self::Plaintext,
    ) -> Result<CleartextCiphertext, CircuitError> {
        Ok(Self::each(
            self.0.add_plain(&a.shape, p)?,
            a.slots.iter().zip(&p.0).map(|(x, y)| x + y),
        ))
    }

    fn mul_i(&self, a: &CleartextCiphertext) -> Result<CleartextCiphertext, CircuitError> {
        Ok(Self::each(
            self.0.mul_i(&a.shape)?,
            a.slots.iter().map(|x| x * Complex64::I),
        ))
    }

    fn scaled(&self, a: &CleartextCiphertext, factor: f64) -> CleartextCiphertext {
        let shape = self.0.scaled(&a.shape, factor);
        Self::each(shape, a.slots.iter().map(|x| x * factor))
    }

    fn drop_to(
        &self,
        a: &CleartextCiphertext,
        level: usize,
    ) -> Result<CleartextCiphertext, CircuitError> {
        Ok(CleartextCiphertext {
            slots: a.slots.clone(),
            shape: self.0.drop_to(&a.shape, level)?,
        })
    }

    fn dot(
        &self,
        a: &[&CleartextCiphertext],
        b: &[&CleartextCiphertext],
    ) -> Result<CleartextCiphertext, CircuitError> {
        let shape = self.0.dot(&shapes(a), &shapes(b))?;
        let slots = self.sum(a.iter().zip(b).map(|(x, y)| (&x.slots[..], &y.slots[..])));
        Ok(CleartextCiphertext { slots, shape })
    }

    fn dot_plain(
        &self,
        a: &[&CleartextCiphertext],
        p: &[&Self::Plaintext],
    ) -> Result<CleartextCiphertext, CircuitError> {
        let shape = self.0.dot_plain(&shapes(a), p)?;
        let slots = self.sum(a.iter().zip(p).map(|(x, y)| (&x.slots[..], &y.0[..])));
        Ok(CleartextCiphertext { slots, shape })
    }

    fn relinearize(&self, a: &CleartextCiphertext) -> Result<CleartextCiphertext, CircuitError> {
        Ok(CleartextCiphertext {
            slots: a.slots.clone(),
            shape: self.0.relinearize(&a.shape)?,
        })
    }

    fn combine(
        &self,
        terms: &[(f64, &CleartextCiphertext)],
        constant: f64,
        scale: f64,
    ) -> Result<CleartextCiphertext, CircuitError> {
        let shapes: Vec<_> = terms.iter().map(|(f, c)| (*f, &c.shape)).collect();
        let shape = self.0.combine(&shapes, constant, scale)?;
        let start = vec![Complex64::from(constant); self.0.slots()];
        let slots = terms.iter().fold(start, |mut sum, (factor, c)| {
            sum.iter_mut()
                .zip(&c.slots)
                .for_each(|(s, x)| *s += x * factor);
            sum
        });
        Ok(CleartextCiphertext { slots, shape })
    }

    fn rescale_by(
        &self,
        a: &CleartextCiphertext,
        primes: usize,
    ) -> Result<CleartextCiphertext, CircuitError> {
        Ok(CleartextCiphertext {
            slots: a.slots.clone(),
            shape: self.0.rescale_by(&a.shape, primes)?,
        })
    }

    /// The multiples of the base modulus are pseudo-random, from -15 to 15 and the same every time.
    fn mod_raise(&self, a: &CleartextCiphertext) -> Result<CleartextCiphertext, CircuitError> {
        let shape = self.0.mod_raise(&a.shape)?;
        let parameters = self.0.parameters();
        let base = parameters.encapsulation().map_or(0, |e| e.base);
        let modulus: f64 = (0..base).map(|i| parameters.prime(i)).product();
        let encoder = parameters.encoder();
        let mut coefficients = encoder.coefficients(&a.slots);
        for (i, coefficient) in coefficients.iter_mut().enumerate() {
            let times = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            *coefficient +=
                (times % 31) as f64 * modulus / shape.scale - 15.0 * modulus / shape.scale;
        }
        Ok(CleartextCiphertext {
            slots: encoder.slots(&coefficients),
            shape,
        })
    }

    fn refresh_point(
        &self,
        live: Vec<(CleartextCiphertext, f64)>,
    ) -> Result<Vec<CleartextCiphertext>, CircuitError> {
        self.1.pass(self, live)
    }

    fn rotate(
        &self,
        a: &CleartextCiphertext,
        steps: i64,
    ) -> Result<CleartextCiphertext, CircuitError> {
        let mut slots = a.slots.clone();
        slots.rotate_left(steps.rem_euclid(a.slots.len() as i64) as usize);
        Ok(CleartextCiphertext {
            slots,
            shape: self.0.rotate(&a.shape, steps)?,
        })
    }

    fn conjugate(&self, a: &CleartextCiphertext) -> Result<CleartextCiphertext, CircuitError> {
        Ok(Self::each(
            self.0.conjugate(&a.shape)?,
            a.slots.iter().map(|x| x.conj()),
        ))
    }
}
