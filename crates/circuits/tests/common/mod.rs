//! What tests of circuits on ciphertexts share, those inside the crate included: a client with the keys of a plan, and how exact slots are.
#![allow(dead_code)]

use circuits::{Encrypted, Operation, Plan};
use ckks::{
    Ciphertext, CiphertextSpec, Complex64, Decryptor, Encryptor, EvaluationKeySet, KeyGenerator,
    Parameters, SecretKey, Seed, Subring,
};
use std::ops::ControlFlow;

/// A secret key and the evaluation keys that a plan names.
pub struct Client {
    parameters: Parameters,
    secret: SecretKey,
    pub keys: EvaluationKeySet,
}

impl Client {
    pub fn new(parameters: &Parameters, plan: &Plan) -> Self {
        let secret = SecretKey::new(parameters, &Seed::from_bytes([7; 32]));
        let generator = KeyGenerator::new(parameters, &secret);
        let mut keys = EvaluationKeySet::new(parameters);
        for spec in &plan.keys {
            keys.insert(&generator.generate(spec).unwrap());
        }
        Self {
            parameters: parameters.clone(),
            secret,
            keys,
        }
    }

    /// The slots, repeated until they are all.
    pub fn encrypt(&self, slots: &[Complex64], level: usize, log_scale: f64) -> Ciphertext {
        let spec = CiphertextSpec {
            level,
            log_scale,
            subring: Subring::Full,
        };
        let slots = repeated(slots, self.parameters.slots());
        let encryptor = Encryptor::new(&self.parameters, &self.secret);
        let encrypted = encryptor.encrypt(&slots, &spec).unwrap();
        encrypted.expand(&self.parameters)
    }

    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Vec<Complex64> {
        Decryptor::new(&self.parameters, &self.secret).decrypt(ciphertext)
    }

    /// Reads a circuit on ciphertexts, telling `observe` of every operation.
    pub fn read<T>(
        &self,
        mut observe: impl FnMut(&str, Operation),
        circuit: impl FnOnce(Encrypted<'_, '_>) -> T,
    ) -> T {
        let mut observer = |layer: &str, operation: Operation| {
            observe(layer, operation);
            ControlFlow::Continue(())
        };
        let evaluator = ckks::Evaluator::new(&self.parameters, &self.keys);
        circuit(Encrypted::new(evaluator, &mut observer))
    }
}

pub fn repeated(slots: &[Complex64], count: usize) -> Vec<Complex64> {
    slots.iter().copied().cycle().take(count).collect()
}

/// Bits of the largest difference.
pub fn bits(got: &[Complex64], want: &[Complex64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let errors = got.iter().zip(want).map(|(a, b)| (a - b).norm());
    -errors.fold(0.0, f64::max).log2()
}

#[track_caller]
pub fn assert_bits(what: &str, got: &[Complex64], want: &[Complex64], least: f64) {
    let found = bits(got, want);
    println!("{what}: {found:.1} bits");
    assert!(found >= least, "{what}: {found:.1} bits of {least}");
}
