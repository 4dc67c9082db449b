//! What the tests of the scheme share: one key set at a small ring, messages, precision in bits.
#![allow(dead_code)]

pub mod random;
pub mod tracked;

use ckks::*;

pub struct Context {
    pub parameters: Parameters,
    pub secret: SecretKey,
    pub keys: EvaluationKeySet,
}

pub const ROTATIONS: [i64; 4] = [1, 5, -3, 64];

impl Context {
    pub fn new(parameters: Parameters) -> Self {
        let secret = SecretKey::new(&parameters, &Seed::from_bytes([3; 32]));
        let mut keys = EvaluationKeySet::new(&parameters);
        let generator = KeyGenerator::new(&parameters, &secret);
        let degree = parameters.degree();
        let galois = ROTATIONS
            .iter()
            .map(|&steps| galois_element_of_rotation(steps, degree))
            .chain([2 * degree as u32 - 1]);
        for kind in galois
            .map(KeyKind::Galois)
            .chain([KeyKind::Relinearization])
        {
            let spec = KeySpec {
                kind,
                level: parameters.max_level(),
            };
            let bytes = generator.generate(&spec).unwrap().to_bytes(&parameters);
            assert_eq!(bytes.len(), spec.wire_bytes(&parameters));
            keys.insert(&SeededKey::from_bytes(&parameters, &spec, &bytes).unwrap());
        }
        Self {
            parameters,
            secret,
            keys,
        }
    }

    pub fn small() -> Self {
        Self::new(Parameters::insecure(10, 9).unwrap())
    }

    pub fn spec(&self) -> CiphertextSpec {
        CiphertextSpec {
            level: self.parameters.max_level(),
            log_scale: self.parameters.scale().log2(),
            subring: Subring::Full,
        }
    }

    pub fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(&self.parameters, &self.keys)
    }

    pub fn message(&self, seed: f64) -> Vec<Complex64> {
        message(self.parameters.slots(), seed)
    }

    pub fn encrypt(&self, slots: &[Complex64]) -> Ciphertext {
        Encryptor::new(&self.parameters, &self.secret)
            .encrypt(slots, &self.spec())
            .unwrap()
            .expand(&self.parameters)
    }

    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Vec<Complex64> {
        Decryptor::new(&self.parameters, &self.secret).decrypt(ciphertext)
    }

    /// Fails when the worst slot agrees to fewer bits.
    pub fn assert_bits(&self, what: &str, ciphertext: &Ciphertext, want: &[Complex64], bits: f64) {
        let got = self.decrypt(ciphertext);
        let worst = got
            .iter()
            .zip(want)
            .map(|(a, b)| (a - b).norm())
            .fold(0.0, f64::max);
        assert!(
            -worst.log2() >= bits,
            "{what}: {:.1} bits where {bits} are asked",
            -worst.log2()
        );
        println!("{what}: {:.1} bits", -worst.log2());
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.parameters.name())
    }
}

pub fn message(count: usize, seed: f64) -> Vec<Complex64> {
    (0..count)
        .map(|i| {
            Complex64::new(
                (i as f64 * 0.37 + seed).sin(),
                (i as f64 * 0.71 - seed).cos(),
            )
        })
        .collect()
}

pub fn rotated(slots: &[Complex64], steps: i64) -> Vec<Complex64> {
    let mut out = slots.to_vec();
    out.rotate_left(steps.rem_euclid(slots.len() as i64) as usize);
    out
}
