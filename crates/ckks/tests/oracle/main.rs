//! The scheme against an independent oracle: what the fast code encrypts, computes and sends must be what the definition says.

mod embedding;
mod keys;
mod operations;
mod reference;
mod released;

use ckks::*;
use embedding::{encode, slot};
use num_bigint::BigInt;
use reference::{Polynomial, Reference};

const SEED: [u8; 32] = [11; 32];

/// A ring, its keys as the fast code makes them, and the oracle's own view of it.
struct Setting {
    parameters: Parameters,
    secret: SecretKey,
    reference: Reference,
}

impl Setting {
    fn new(parameters: Parameters) -> Self {
        let literal = parameters.literal();
        let reference = Reference::new(
            literal.log_n,
            parameters.digest(),
            &literal.chain,
            &literal.special,
            &SEED,
        );
        Self {
            secret: SecretKey::new(&parameters, &Seed::from_bytes(SEED)),
            parameters,
            reference,
        }
    }

    /// 32 slots, a chain of one full digit and a cut one.
    fn small() -> Self {
        Self::new(Parameters::insecure(6, 9).unwrap())
    }

    fn slots(&self, seed: f64) -> Vec<Complex64> {
        (0..self.parameters.slots())
            .map(|j| Complex64::new((seed + j as f64).sin(), (seed * j as f64).cos()))
            .collect()
    }

    fn encrypt(&self, slots: &[Complex64]) -> SeededCiphertext {
        let spec = CiphertextSpec {
            level: self.parameters.max_level(),
            log_scale: self.parameters.scale().log2(),
            subring: Subring::Full,
        };
        Encryptor::new(&self.parameters, &self.secret)
            .encrypt(slots, &spec)
            .unwrap()
    }

    fn fresh(&self, seed: f64) -> Ciphertext {
        self.encrypt(&self.slots(seed)).expand(&self.parameters)
    }

    /// The parts of a ciphertext, read from its bytes.
    fn parts(&self, ciphertext: &Ciphertext) -> Vec<Polynomial> {
        let bytes = ciphertext.to_bytes(&self.parameters);
        let (mut rest, primes) = (&bytes[..], &self.reference.chain[..=ciphertext.level()]);
        let parts = (0..ciphertext.parts())
            .map(|_| self.reference.read(primes, &mut rest))
            .collect();
        assert!(rest.is_empty());
        parts
    }

    fn open(&self, ciphertext: &Ciphertext) -> Polynomial {
        let modulus = self.reference.modulus(ciphertext.level());
        self.reference.decrypt(&self.parts(ciphertext), &modulus)
    }
}

fn largest(polynomial: impl IntoIterator<Item = BigInt>) -> BigInt {
    let magnitude = |x: BigInt| BigInt::from(x.magnitude().clone());
    polynomial.into_iter().map(magnitude).max().unwrap()
}

fn difference(a: &[BigInt], b: &[BigInt]) -> BigInt {
    largest(a.iter().zip(b).map(|(x, y)| x - y))
}

#[test]
fn a_seeded_ciphertext_opens_to_message_and_error() {
    let setting = Setting::small();
    let (reference, level) = (&setting.reference, setting.parameters.max_level());
    let slots = setting.slots(0.3);
    let bytes = setting.encrypt(&slots).to_bytes(&setting.parameters);
    let (seed, mut body) = bytes.split_first_chunk().unwrap();
    let mask = reference.mask(seed, 0, &reference.chain);
    let body = reference.read(&reference.chain, &mut body);
    let opened = reference.decrypt(&[body, mask], &reference.modulus(level));
    let error = opened
        .iter()
        .zip(encode(&slots, 2f64.powi(30)))
        .map(|(x, m)| x - m);
    let error: Vec<BigInt> = error.collect();
    assert!(largest(error.clone()) <= BigInt::from(21));
    let squares: BigInt = error.iter().map(|e| e * e).sum();
    // Variance 10.5 over 64 coefficients: within a factor of two of it.
    assert!(
        squares > BigInt::from(336) && squares < BigInt::from(1344),
        "{squares}"
    );
}

#[test]
fn the_fast_decryptor_agrees_on_every_slot() {
    let setting = Setting::small();
    let ciphertext = setting.fresh(0.7);
    let opened = setting.open(&ciphertext);
    let fast = Decryptor::new(&setting.parameters, &setting.secret).decrypt(&ciphertext);
    for (j, z) in fast.into_iter().enumerate() {
        let difference = (slot(&opened, j, ciphertext.scale()) - z).norm();
        assert!(difference < 1e-11, "slot {j}: {difference}");
    }
}
