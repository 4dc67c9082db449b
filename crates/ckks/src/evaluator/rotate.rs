//! Automorphisms: rotation of the slots, conjugation, and many rotations of one ciphertext (hoisting).

use super::{Evaluator, key_switch::Lifted};
use crate::{Ciphertext, EvaluatorError, KeyKind, KeySpec, keys::SwitchingKey};
use ring::{Poly, galois_element_of_rotation};

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

    fn galois_key(&self, element: u32, level: usize) -> Result<&SwitchingKey, EvaluatorError> {
        let kind = KeyKind::Galois(element);
        let spec = KeySpec { kind, level };
        let key = self.keys.get(spec)?;
        match key.automorphism {
            Some(_) => Ok(key),
            None => Err(EvaluatorError::MissingKey(spec)),
        }
    }

    fn automorphism(&self, a: &Ciphertext, element: u32) -> Result<Ciphertext, EvaluatorError> {
        Self::two_parts(a)?;
        let key = self.galois_key(element, a.level())?;
        let (c0, c1) = self.switch(&a.parts[1], key, [Some(&a.parts[0]), None]);
        Ok(Ciphertext {
            parts: vec![c0, c1],
            scale: a.scale,
        })
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
        let key = self.galois_key(element, a.level())?;
        let basis = self.parameters.key_basis(a.level());
        let lifted = Lifted::Evaluations(&hoisted.lifted);
        let (c0, c1) = self.multiply(key, basis, [Some(&a.parts[0]), None], &lifted);
        Ok(Ciphertext {
            parts: vec![c0, c1],
            scale: a.scale,
        })
    }
}
