//! Sums, constants and the imaginary unit: no key, no level.

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError, Plaintext};
use ring::{Basis, Poly};

impl Evaluator<'_> {
    /// `a + b` at the lower of the two levels. Scales must agree.
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.merge(a, b, |ring, x, y| ring.add_assign(x, y))
    }

    /// `a - b` at the lower of the two levels. Scales must agree.
    pub fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.merge(a, b, |ring, x, y| ring.sub_assign(x, y))
    }

    fn merge(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        operation: impl Fn(&ring::Ring, &mut Poly, &Poly),
    ) -> Result<Ciphertext, EvaluatorError> {
        let (scale, level) = Self::common([a, b].into_iter())?;
        let ring = self.parameters.ring();
        let parts = (0..a.parts().max(b.parts()))
            .map(|i| {
                let mut part = a
                    .parts
                    .get(i)
                    .cloned()
                    .unwrap_or_else(|| ring.zero(self.parameters.basis(level)));
                part.truncate(level + 1);
                if let Some(other) = b.parts.get(i) {
                    operation(ring, &mut part, other);
                }
                part
            })
            .collect();
        Ok(Ciphertext { parts, scale })
    }

    /// `-a`.
    pub fn neg(&self, a: &Ciphertext) -> Ciphertext {
        let mut out = a.clone();
        for part in &mut out.parts {
            self.parameters.ring().neg_assign(part);
        }
        out
    }

    /// `a + p`. Scales must agree.
    pub fn add_plain(
        &self,
        a: &Ciphertext,
        plain: &Plaintext,
    ) -> Result<Ciphertext, EvaluatorError> {
        Self::same_scale(a.scale, plain.scale)?;
        let ring = self.parameters.ring();
        let mut message = ring.stale(Basis::of_chain(a.level() + 1));
        ring.each(&mut message, |kernel, _, limb| {
            plain.reduce(kernel, limb);
            kernel.forward(limb);
        });
        let mut out = a.clone();
        if let Some(first) = out.parts.first_mut() {
            ring.add_assign(first, &message);
        }
        Ok(out)
    }

    /// `i a`, the imaginary unit in every slot: the monomial `X^(N/2)`.
    pub fn mul_i(&self, a: &Ciphertext) -> Ciphertext {
        let ring = self.parameters.ring();
        let parts = a
            .parts
            .iter()
            .map(|part| ring.mul(part, self.parameters.imaginary()))
            .collect();
        Ciphertext {
            parts,
            scale: a.scale,
        }
    }

    /// `factor a` for a positive factor, by dividing the scale: free, and without a level.
    pub fn scaled(&self, a: &Ciphertext, factor: f64) -> Ciphertext {
        Ciphertext {
            scale: a.scale / factor,
            ..a.clone()
        }
    }

    /// The same message at a lower level.
    pub fn drop_to(&self, a: &Ciphertext, level: usize) -> Result<Ciphertext, EvaluatorError> {
        if level > a.level() {
            return Err(EvaluatorError::LevelExhausted {
                level: a.level(),
                needed: level,
            });
        }
        self.scale_fits(a.scale, level)?;
        let mut out = a.clone();
        for part in &mut out.parts {
            part.truncate(level + 1);
        }
        Ok(out)
    }
}
