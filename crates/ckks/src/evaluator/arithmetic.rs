//! Sums, constants and the imaginary unit: no key, no level.

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError, Plaintext};
use ring::{Basis, Kernel};

impl Evaluator<'_> {
    /// `a + b` at the lower of the two levels. Scales must agree.
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.merge(a, b, |kernel, x, y| kernel.add_assign(x, y))
    }

    /// `a - b` at the lower of the two levels. Scales must agree.
    pub fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.merge(a, b, |kernel, x, y| kernel.sub_assign(x, y))
    }

    fn merge(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        operation: impl Fn(&dyn Kernel, &mut [u32], &[u32]) + Send + Sync,
    ) -> Result<Ciphertext, EvaluatorError> {
        let (scale, level) = Self::common([a, b].into_iter())?;
        let ring = self.parameters.ring();
        let parts = (0..a.parts().max(b.parts()))
            .map(|i| {
                let mut part = ring.stale(self.parameters.basis(level));
                ring.each(&mut part, |kernel, limb_at, limb| {
                    match a.parts.get(i) {
                        Some(first) => limb.copy_from_slice(first.limb(limb_at)),
                        None => limb.fill(0),
                    }
                    if let Some(second) = b.parts.get(i) {
                        operation(kernel, limb, second.limb(limb_at));
                    }
                });
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
        let mut sum = ring.stale(Basis::of_chain(a.level() + 1));
        ring.each(&mut sum, |kernel, i, limb| {
            plain.evaluate(kernel, i, limb);
            kernel.add_assign(limb, a.parts[0].limb(i));
        });
        let parts = std::iter::once(sum).chain(a.parts.iter().skip(1).cloned());
        Ok(Ciphertext {
            parts: parts.collect(),
            scale: a.scale,
        })
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
        let parts = a.parts.iter().map(|part| part.truncated(level + 1));
        Ok(Ciphertext {
            parts: parts.collect(),
            scale: a.scale,
        })
    }
}
