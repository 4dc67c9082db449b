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
        let basis = spec.basis(parameters);
        let mut from = match spec.kind {
            KeyKind::Relinearization => self.key.square(parameters),
            KeyKind::Galois(element) => {
                let automorphism = Automorphism::new(element, parameters.degree())
                    .ok_or(WireError::Specification)?;
                self.key.image(parameters, &automorphism)
            }
            KeyKind::ToEphemeral => self.key.copy(parameters),
            KeyKind::FromEphemeral => self.key.ephemeral(parameters).copy(parameters),
        };
        let ephemeral = (spec.kind == KeyKind::ToEphemeral).then(|| self.key.ephemeral(parameters));
        let to = ephemeral.as_ref().unwrap_or(self.key);
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
                    kernel.dot(values, &[&uniform], &[to.evaluations(i, basis)]);
                    if range.contains(&i) {
                        let special = parameters.literal().special.iter().take(basis.p);
                        let product = special
                            .fold(1, |product, &p| modulus.mul(product, p % modulus.value()));
                        let mut scaled = limb(&from, i, basis).to_vec();
                        kernel.scale_assign(&mut scaled, modulus.factor(product));
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

#[cfg(test)]
mod tests {
    use super::*;
    use ring::Seed;

    /// The one key under the sparse secret has no more primes than its bound allows, and hides `s` as it should.
    #[test]
    fn the_key_under_the_ephemeral_secret_is_small_and_carries_errors() {
        let parameters = Parameters::insecure_bootstrapping(10).unwrap();
        let secret = SecretKey::new(&parameters, &Seed::from_bytes([9; 32]));
        let ephemeral = secret.ephemeral(&parameters);
        assert_eq!(
            ephemeral.coefficients().iter().map(|s| s * s).sum::<i32>(),
            32
        );
        let (kind, level) = (KeyKind::ToEphemeral, 1);
        let generator = KeyGenerator::new(&parameters, &secret);
        let key = generator.generate(&KeySpec { kind, level }).unwrap();
        assert_eq!(key.bodies.len(), 1);
        let basis = key.bodies[0].basis();
        assert_eq!((basis.q, basis.p), (2, 2));
        // On the special primes b + a s' is the error alone.
        let mut mask = wire::expand_mask(&parameters, &key.mask, 0, basis);
        let ring = parameters.ring();
        ring.forward(&mut mask);
        let kernel = ring.kernel(basis, 2);
        let mut sum = vec![0; parameters.degree()];
        kernel.dot(
            &mut sum,
            &[mask.limb(2)],
            &[ephemeral.evaluations(2, basis)],
        );
        kernel.inverse(&mut sum);
        kernel.add_assign(&mut sum, key.bodies[0].limb(2));
        let errors: Vec<i32> = sum.iter().map(|&x| kernel.modulus().centered(x)).collect();
        assert!(errors.iter().all(|e| e.abs() <= 21));
        let variance = errors.iter().map(|&e| (e * e) as f64).sum::<f64>() / 1024.0;
        assert!((variance - 10.5).abs() < 2.5, "{variance}");
    }

    /// Rounding hides a missing error from every test of precision, and without it a key gives the secret away.
    #[test]
    fn keys_carry_errors_of_the_stated_distribution() {
        let parameters = Parameters::insecure(10, 9).unwrap();
        let secret = SecretKey::new(&parameters, &Seed::from_bytes([9; 32]));
        let kind = KeyKind::Galois(5);
        let level = parameters.max_level();
        let generator = KeyGenerator::new(&parameters, &secret);
        let key = generator.generate(&KeySpec { kind, level }).unwrap();
        // The second digit holds neither of these primes, so that b + a s is the error alone.
        let (digit, basis) = (1, parameters.key_basis(level));
        let mut mask = wire::expand_mask(&parameters, &key.mask, digit, basis);
        let errors: Vec<Vec<i32>> = [0, basis.limbs() - 1]
            .into_iter()
            .map(|i| {
                let kernel = parameters.ring().kernel(basis, i);
                let uniform = mask.limb_mut(i);
                kernel.forward(uniform);
                let mut sum = vec![0; uniform.len()];
                kernel.dot(&mut sum, &[uniform], &[secret.evaluations(i, basis)]);
                kernel.inverse(&mut sum);
                kernel.add_assign(&mut sum, key.bodies[digit].limb(i));
                sum.into_iter()
                    .map(|x| kernel.modulus().centered(x))
                    .collect()
            })
            .collect();
        assert_eq!(errors[0], errors[1]);
        assert!(errors[0].iter().all(|e| e.abs() <= 21));
        let variance = errors[0].iter().map(|&e| (e * e) as f64).sum::<f64>() / 1024.0;
        assert!((variance - 10.5).abs() < 2.5, "{variance}");
    }
}
