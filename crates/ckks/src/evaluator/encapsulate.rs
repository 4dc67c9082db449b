//! Raising the modulus, by way of a sparse secret (ePrint 2022/024).
//!
//! Modulo the base `Q_0 = q_0 .. q_(b-1)` a ciphertext has `c_0 + c_1 s = m + e + Q_0 I` for some polynomial `I`. Read modulo the whole
//! chain, the same coefficients encrypt `m + e + Q_0 I`. Under a secret of weight `h` no coefficient of `I` exceeds `(h + 1)/2`, since
//! those of `c_0` and `c_1` are at most `Q_0/2`; under a dense secret they would be some hundreds.

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError, KeyKind, KeySpec};
use ring::{Basis, Poly};

/// A ciphertext under the ephemeral sparse secret: nothing but raising it and switching back can be done with it.
pub struct Encapsulated(Ciphertext);

impl Evaluator<'_> {
    /// From `s` to the ephemeral secret, at the base level alone.
    pub fn encapsulate(&self, a: &Ciphertext) -> Result<Encapsulated, EvaluatorError> {
        let spec = KeySpec {
            kind: KeyKind::ToEphemeral,
            level: a.level(),
        };
        // Refuses any other level: there is no such key.
        spec.check(&self.parameters)
            .map_err(|_| EvaluatorError::NotAtBase { level: a.level() })?;
        Ok(Encapsulated(self.switched(a, spec)?))
    }

    /// The same coefficients modulo the whole chain: the message becomes `m + Q_0 I`, at the same scale.
    pub fn raise(&self, a: &Encapsulated) -> Encapsulated {
        let parts = a.0.parts.iter().map(|part| self.raised(part)).collect();
        Encapsulated(Ciphertext {
            parts,
            scale: a.0.scale,
        })
    }

    /// From the ephemeral secret back to `s`.
    pub fn decapsulate(&self, a: &Encapsulated) -> Result<Ciphertext, EvaluatorError> {
        let spec = KeySpec {
            kind: KeyKind::FromEphemeral,
            level: a.0.level(),
        };
        self.switched(&a.0, spec)
    }

    fn switched(&self, a: &Ciphertext, spec: KeySpec) -> Result<Ciphertext, EvaluatorError> {
        Self::two_parts(a)?;
        let key = self.keys.get(spec)?;
        let (c0, c1) = self.switch(&a.parts[1], key, [Some(&a.parts[0]), None]);
        Ok(Ciphertext {
            parts: vec![c0, c1],
            scale: a.scale,
        })
    }

    fn raised(&self, part: &Poly) -> Poly {
        let (ring, limbs) = (self.parameters.ring(), part.basis().q);
        let conversion = self.parameters.digit_conversion(0, limbs);
        let mut low = part.clone();
        ring.each(&mut low, |_, i, limb| conversion.input(ring, i, limb));
        let low: Vec<&[u32]> = low.limbs().collect();
        let mut out = ring.stale(Basis::of_chain(self.parameters.max_level() + 1));
        conversion.convert_exactly(ring, &low, &mut out);
        ring.forward(&mut out);
        out
    }
}
