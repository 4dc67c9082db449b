//! What a fixed seed must give on every machine, as digests: [`known-answers.txt`](../known-answers.txt) holds the lines that
//! [`known_answers`] writes natively and in WebAssembly. Who implements the client a second time checks it against them.

mod inputs;

use ckks::{
    CiphertextSpec, Complex64, Decryptor, Encryptor, KeyGenerator, KeyKind, KeySpec, Parameters,
    SecretKey, Seed, Subring,
};
use inputs::slots;
use std::error::Error;
use wasm_bindgen::prelude::wasm_bindgen;

/// The parameter sets: a small ring, the released ones, and a small ring with an ephemeral secret.
pub const SETS: [&str; 4] = [
    "insecure-n8-l9",
    "n15-q630-p237",
    "n15-q631-p232",
    "insecure-bootstrapping-n8",
];

/// The secret of all vectors: `00 01 02 .. 1f`.
const SECRET: [u8; 32] = {
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < 32 {
        bytes[i] = i as u8;
        i += 1;
    }
    bytes
};

/// One line for each answer of a parameter set, `SET NAME DIGEST`.
#[wasm_bindgen]
#[must_use]
pub fn known_answers(set: &str) -> String {
    match lines(set) {
        Ok(lines) => lines,
        Err(error) => format!("{set} failed: {error}\n"),
    }
}

/// The names of the kernels' checks.
#[wasm_bindgen]
#[must_use]
pub fn checks() -> Vec<String> {
    let names = ring::conformance::CHECKS.iter();
    names.map(|(name, _)| (*name).to_owned()).collect()
}

/// Runs one check on every kernel of this machine; panics where one fails.
#[wasm_bindgen]
pub fn check(index: usize) {
    ring::conformance::CHECKS[index].1();
}

/// Whether this build was compiled for vectors of 128 bits.
#[wasm_bindgen]
#[must_use]
pub fn simd128() -> bool {
    cfg!(target_feature = "simd128")
}

fn lines(set: &str) -> Result<String, Box<dyn Error>> {
    let parameters = Parameters::by_name(set)?;
    let mut out = String::new();
    let mut line = |name: &str, digest: blake3::Hash| {
        out += &format!("{set} {name} {digest}\n");
    };
    line("parameters", parameters.digest().into());
    let secret = SecretKey::new(&parameters, &Seed::from_bytes(SECRET));
    line("secret-key", secret.digest().into());
    let generator = KeyGenerator::new(&parameters, &secret);
    let mut kinds = vec![
        (KeyKind::Relinearization, parameters.max_level()),
        (KeyKind::Galois(5), parameters.max_level() - 1),
        (KeyKind::Galois(2 * parameters.degree() as u32 - 1), 1),
    ];
    if let Some(encapsulation) = parameters.encapsulation() {
        kinds.push((KeyKind::ToEphemeral, encapsulation.base - 1));
        kinds.push((KeyKind::FromEphemeral, parameters.max_level()));
    }
    for (kind, level) in kinds {
        let spec = KeySpec { kind, level };
        let bytes = generator.generate(&spec)?.to_bytes(&parameters);
        line(
            &format!("{}-level-{level}", spec.name()),
            blake3::hash(&bytes),
        );
    }
    let encryptor = Encryptor::new(&parameters, &secret);
    for (subring, name) in [
        (Subring::Full, "full"),
        (Subring::Even, "even"),
        (Subring::Real, "real"),
    ] {
        let spec = CiphertextSpec {
            level: parameters.max_level(),
            log_scale: parameters.scale().log2(),
            subring,
        };
        let slots = slots(spec.slots(&parameters), subring == Subring::Real);
        let coefficients = parameters.encoder().coefficients(&slots);
        line(&format!("coefficients-{name}"), doubles(coefficients));
        let seed = Seed::from_bytes([name.len() as u8; 32]);
        let sent = encryptor.encrypt_repeatably(&slots, &spec, &seed)?;
        line(
            &format!("query-{name}"),
            blake3::hash(&sent.to_bytes(&parameters)),
        );
        let ciphertext = sent.expand(&parameters);
        line(
            &format!("expanded-{name}"),
            blake3::hash(&ciphertext.to_bytes(&parameters)),
        );
        // Not the message where half was left at home: the server takes the trace. The bits must agree all the same.
        let opened = Decryptor::new(&parameters, &secret).decrypt(&ciphertext);
        line(
            &format!("slots-{name}"),
            doubles(opened.iter().flat_map(parts)),
        );
    }
    Ok(out)
}

fn parts(z: &Complex64) -> [f64; 2] {
    [z.re, z.im]
}

/// BLAKE3 of the little-endian bits.
fn doubles(values: impl IntoIterator<Item = f64>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&value.to_bits().to_le_bytes());
    }
    hasher.finalize()
}
