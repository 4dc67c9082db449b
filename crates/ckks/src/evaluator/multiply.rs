//! Products and lazy sums of products: one relinearisation and one rescale a sum.

use super::{Evaluator, MAX_TERMS};
use crate::{Ciphertext, EvaluatorError, KeyKind, KeySpec, Plaintext};
use ring::{Poly, for_each_pair, with_scratch};

impl Evaluator<'_> {
    /// `a * b`, in three parts. The scale is the product of the scales.
    pub fn mul(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.dot(&[a], &[b])
    }

    /// `sum_k a_k b_k`, in three parts, for at most eight terms of one scale each side.
    pub fn dot(&self, a: &[&Ciphertext], b: &[&Ciphertext]) -> Result<Ciphertext, EvaluatorError> {
        if a.is_empty() || a.len() != b.len() || 2 * a.len() > MAX_TERMS {
            return Err(EvaluatorError::Terms(a.len()));
        }
        a.iter()
            .chain(b)
            .try_for_each(|operand| Self::two_parts(operand))?;
        let (left, right) = (
            Self::common(a.iter().copied())?,
            Self::common(b.iter().copied())?,
        );
        let (scale, level) = (left.0 * right.0, left.1.min(right.1));
        self.scale_fits(scale, level)?;
        let (ring, basis) = (self.parameters.ring(), self.parameters.basis(level));
        let (a0, a1, b0, b1) = (parts(a, 0), parts(a, 1), parts(b, 0), parts(b, 1));
        let cross = ring.dot(
            &[&a0[..], &a1[..]].concat(),
            &[&b1[..], &b0[..]].concat(),
            basis,
        );
        Ok(Ciphertext {
            parts: vec![ring.dot(&a0, &b0, basis), cross, ring.dot(&a1, &b1, basis)],
            scale,
        })
    }

    /// `sum_k p_k a_k` for at most 16 terms of one scale each side. The scale is the product of the scales.
    pub fn dot_plain(
        &self,
        a: &[&Ciphertext],
        plain: &[&Plaintext],
    ) -> Result<Ciphertext, EvaluatorError> {
        if a.is_empty() || a.len() != plain.len() || a.len() > MAX_TERMS {
            return Err(EvaluatorError::Terms(a.len()));
        }
        a.iter().try_for_each(|operand| Self::two_parts(operand))?;
        let (scale, level) = Self::common(a.iter().copied())?;
        plain
            .iter()
            .try_for_each(|p| Self::same_scale(plain[0].scale, p.scale))?;
        let scale = scale * plain[0].scale;
        self.scale_fits(scale, level)?;
        let (ring, basis, degree) = (
            self.parameters.ring(),
            self.parameters.basis(level),
            self.parameters.degree(),
        );
        let (mut first, mut second) = (ring.stale(basis), ring.stale(basis));
        for_each_pair(
            first.data_mut(),
            second.data_mut(),
            degree,
            |i, out0, out1| {
                let kernel = ring.kernel(basis, i);
                with_scratch(degree * plain.len(), |weights| {
                    for (weight, p) in weights.chunks_exact_mut(degree).zip(plain) {
                        p.evaluate(kernel, i, weight);
                    }
                    let weights: Vec<&[u32]> = weights.chunks_exact(degree).collect();
                    let limbs =
                        |part: usize| a.iter().map(|c| c.parts[part].limb(i)).collect::<Vec<_>>();
                    kernel.dot(out0, &weights, &limbs(0));
                    kernel.dot(out1, &weights, &limbs(1));
                });
            },
        );
        Ok(Ciphertext {
            parts: vec![first, second],
            scale,
        })
    }

    /// `p * a`. The scale is the product of the scales.
    pub fn mul_plain(
        &self,
        a: &Ciphertext,
        plain: &Plaintext,
    ) -> Result<Ciphertext, EvaluatorError> {
        self.dot_plain(&[a], &[plain])
    }

    /// Two parts from three.
    pub fn relinearize(&self, a: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        let [first, second, third] = &a.parts[..] else {
            return Err(EvaluatorError::Degree {
                expected: 3,
                found: a.parts(),
            });
        };
        let key = self.keys.get(KeySpec {
            kind: KeyKind::Relinearization,
            level: a.level(),
        })?;
        let (c0, c1) = self.switch(third, key, [Some(first), Some(second)]);
        Ok(Ciphertext {
            parts: vec![c0, c1],
            scale: a.scale,
        })
    }
}

fn parts<'c>(operands: &[&'c Ciphertext], i: usize) -> Vec<&'c Poly> {
    operands.iter().map(|c| &c.parts[i]).collect()
}
