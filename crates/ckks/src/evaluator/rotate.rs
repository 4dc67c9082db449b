//! Automorphisms: rotation of the slots, conjugation, and many rotations of one ciphertext (hoisting).

use super::Evaluator;
use crate::{Ciphertext, EvaluatorError, KeyKind, KeySpec, keys::SwitchingKey};
use ring::{Automorphism, Poly, for_each_pair, galois_element_of_rotation, with_scratch};

/// A ciphertext whose digits are lifted once for many rotations (Halevi, Shoup, ePrint 2018/244).
pub struct Hoisted<'c> {
    ciphertext: &'c Ciphertext,
    lifted: Vec<Poly>,
}

impl Evaluator<'_> {
    /// Rotates the slots to the left by `steps` (negative: to the right), with the key of exactly that rotation.
    pub fn rotate(&self, a: &Ciphertext, steps: i64) -> Result<Ciphertext, EvaluatorError> {
        match galois_element_of_rotation(steps, self.parameters.degree()) {
            1 => Ok(a.clone()),
            element => self.automorphism(a, element),
        }
    }

    /// The complex conjugate of every slot.
    pub fn conjugate(&self, a: &Ciphertext) -> Result<Ciphertext, EvaluatorError> {
        self.automorphism(a, 2 * self.parameters.degree() as u32 - 1)
    }

    fn galois_key(
        &self,
        element: u32,
        level: usize,
    ) -> Result<(&SwitchingKey, &Automorphism), EvaluatorError> {
        let kind = KeyKind::Galois(element);
        let spec = KeySpec { kind, level };
        let key = self.keys.get(spec)?;
        let automorphism = key.automorphism.as_ref();
        Ok((key, automorphism.ok_or(EvaluatorError::MissingKey(spec))?))
    }

    /// `sigma(c_0)` joins what the key makes of `sigma(c_1)`.
    fn with_image(
        &self,
        (mut c0, c1): (Poly, Poly),
        automorphism: &Automorphism,
        a: &Ciphertext,
    ) -> Ciphertext {
        let ring = self.parameters.ring();
        ring.each(&mut c0, |kernel, i, limb| {
            with_scratch(limb.len(), |image| {
                automorphism.permute(a.parts[0].limb(i), image);
                kernel.add_assign(limb, image);
            });
        });
        Ciphertext {
            parts: vec![c0, c1],
            scale: a.scale,
        }
    }

    fn automorphism(&self, a: &Ciphertext, element: u32) -> Result<Ciphertext, EvaluatorError> {
        Self::two_parts(a)?;
        let (key, automorphism) = self.galois_key(element, a.level())?;
        let image = self.parameters.ring().apply(automorphism, &a.parts[1]);
        Ok(self.with_image(self.switch(&image, key), automorphism, a))
    }

    /// Lifts the digits of `a` once, for [`Evaluator::rotate_hoisted`].
    pub fn hoist<'c>(&self, a: &'c Ciphertext) -> Result<Hoisted<'c>, EvaluatorError> {
        Self::two_parts(a)?;
        let ring = self.parameters.ring();
        let lifted = self
            .decompose(&a.parts[1], self.parameters.key_basis(a.level()))
            .into_iter()
            .map(|digit| {
                let mut lifted = digit.lifted;
                ring.each(&mut lifted, |kernel, i, limb| {
                    if digit.own.contains(&i) {
                        limb.copy_from_slice(a.parts[1].limb(i));
                    } else {
                        kernel.forward(limb);
                    }
                });
                lifted
            })
            .collect();
        Ok(Hoisted {
            ciphertext: a,
            lifted,
        })
    }

    /// Rotates a hoisted ciphertext: the same result as [`Evaluator::rotate`] up to noise, without lifting again.
    pub fn rotate_hoisted(
        &self,
        hoisted: &Hoisted<'_>,
        steps: i64,
    ) -> Result<Ciphertext, EvaluatorError> {
        let a = hoisted.ciphertext;
        let element = galois_element_of_rotation(steps, self.parameters.degree());
        if element == 1 {
            return Ok(a.clone());
        }
        let (key, automorphism) = self.galois_key(element, a.level())?;
        let (ring, degree) = (self.parameters.ring(), self.parameters.degree());
        let basis = self.parameters.key_basis(a.level());
        let (mut c0, mut c1) = (ring.stale(basis), ring.stale(basis));
        for_each_pair(c0.data_mut(), c1.data_mut(), degree, |i, out0, out1| {
            with_scratch(degree * hoisted.lifted.len(), |rotated| {
                for (out, digit) in rotated.chunks_exact_mut(degree).zip(&hoisted.lifted) {
                    automorphism.permute(digit.limb(i), out);
                }
                let rotated: Vec<&[u32]> = rotated.chunks_exact(degree).collect();
                self.multiply_limb(&rotated, key, basis, i, out0, out1);
            });
        });
        let switched = self.mod_down(&c0, &c1);
        Ok(self.with_image(switched, automorphism, a))
    }
}
