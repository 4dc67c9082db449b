//! Evaluation keys of hybrid key switching (Han, Ki, ePrint 2019/688; RNS digits as in Lattigo and OpenFHE).

use super::{KeyKind, KeySpec, SecretKey, SeededKey, secret_key::limb};
use crate::{Parameters, WireError, wire};
use ring::Automorphism;
use zeroize::Zeroize;

/// Makes evaluation keys, one at a time. The same secret and specification give the same key.
pub struct KeyGenerator<'k> {
    parameters: Parameters,
    key: &'k SecretKey,
}

impl<'k> KeyGenerator<'k> {
    /// A generator for keys that switch to `key`.
    pub fn new(parameters: &Parameters, key: &'k SecretKey) -> Self {
        Self {
            parameters: parameters.clone(),
            key,
        }
    }

    /// `b_d = -a_d s + e_d + P s'` on the primes of digit `d`, `-a_d s + e_d` on all others, by coefficients.
    pub fn generate(&self, spec: &KeySpec) -> Result<SeededKey, WireError> {
        spec.check(&self.parameters)?;
        let (parameters, ring) = (&self.parameters, self.parameters.ring());
        let basis = parameters.key_basis(spec.level);
        let mut from = match spec.kind {
            KeyKind::Relinearization => self.key.square(parameters),
            KeyKind::Galois(element) => {
                let automorphism = Automorphism::new(element, parameters.degree())
                    .ok_or(WireError::Specification)?;
                self.key.image(parameters, &automorphism)
            }
        };
        let label = spec.label();
        let mask = *self.key.seed.derive(&[b"mask", &label]).expose();
        let bodies = parameters
            .digit_ranges(spec.level)
            .enumerate()
            .map(|(digit, range)| {
                let mut errors = vec![0; parameters.degree()];
                self.key
                    .seed
                    .xof(&[b"error", &label, &[digit as u8]])
                    .error(&mut errors);
                let mut body = wire::expand_mask(parameters, &mask, digit, basis);
                ring.each(&mut body, |kernel, i, values| {
                    let modulus = kernel.modulus();
                    kernel.forward(values);
                    let uniform = values.to_vec();
                    kernel.dot(values, &[&uniform], &[self.key.evaluations(i, basis)]);
                    if range.contains(&i) {
                        let special = parameters.literal().special.iter();
                        let product = special
                            .fold(1, |product, &p| modulus.mul(product, p % modulus.value()));
                        let mut scaled = limb(&from, i, basis).to_vec();
                        kernel.scale_assign(&mut scaled, product);
                        kernel.sub_assign(values, &scaled);
                        scaled.zeroize();
                    }
                    kernel.neg_assign(values);
                    kernel.inverse(values);
                    for (value, &error) in values.iter_mut().zip(&errors) {
                        *value = modulus.add(*value, modulus.from_small(error));
                    }
                });
                errors.zeroize();
                body
            })
            .collect();
        from.data_mut().zeroize();
        Ok(SeededKey {
            spec: *spec,
            mask,
            bodies,
        })
    }
}
