//! `constant-time WORK SECRET MESSAGE` does one piece of the client's work with a secret key and a message chosen by two digits, for
//! `tests/traces.rs` to watch. Everything public is the same for all of them.

use ckks::{
    CiphertextSpec, Complex64, Decryptor, Encapsulation, Encryptor, KeyGenerator, KeyKind, KeySpec,
    Parameters, SecretKey, Seed, SeededCiphertext, Subring,
};
use model::{
    Preprocessing,
    image::Rgb32,
    vit::{ConvolutionShape, Stem, Vit},
};
use std::{error::Error, hint::black_box};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, work, secret, message] = &arguments[..] else {
        return Err("usage: constant-time WORK SECRET MESSAGE".into());
    };
    let (secret, message): (u8, u8) = (secret.parse()?, message.parse()?);
    // The primes of this ring are so near to powers of two that masks, which are public, are sampled without a rejection.
    let parameters = Parameters::by_name("insecure-n5-l2")?;
    let key = SecretKey::new(&parameters, &Seed::from_bytes([secret; 32]));
    let spec = CiphertextSpec {
        level: 1,
        log_scale: 30.0,
        subring: Subring::Full,
    };
    match work.as_str() {
        "keys" => {
            let generator = KeyGenerator::new(&parameters, &key);
            for kind in [KeyKind::Relinearization, KeyKind::Galois(5)] {
                black_box(
                    generator
                        .generate(&KeySpec { kind, level: 1 })?
                        .to_bytes(&parameters),
                );
            }
        }
        "ephemeral" => {
            let mut literal = parameters.literal().clone();
            literal.name = "insecure-ephemeral".into();
            literal.encapsulation = Some(Encapsulation {
                weight: 8,
                base: 1,
                special: 1,
            });
            let parameters = Parameters::from_literal(literal)?;
            let key = SecretKey::new(&parameters, &Seed::from_bytes([secret; 32]));
            let generator = KeyGenerator::new(&parameters, &key);
            for (kind, level) in [(KeyKind::ToEphemeral, 0), (KeyKind::FromEphemeral, 1)] {
                let key = generator.generate(&KeySpec { kind, level })?;
                black_box(key.to_bytes(&parameters));
            }
        }
        "encrypt" => {
            let encryptor = Encryptor::new(&parameters, &key);
            // Values from nothing to large, in another order for every message.
            let slots: Vec<Complex64> = (0..spec.slots(&parameters))
                .map(|i| {
                    let j = (i + usize::from(message) * 5) % 16;
                    Complex64::new(((j * j) as f64 - 60.0) / 64.0, (j as f64 - 9.0) * 1e-9)
                })
                .collect();
            let seed = Seed::from_bytes([7; 32]);
            black_box(
                encryptor
                    .encrypt_repeatably(&slots, &spec, &seed)?
                    .to_bytes(&parameters),
            );
        }
        "decrypt" => {
            let length = SeededCiphertext::wire_bytes(&parameters, &spec)?;
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let ciphertext = SeededCiphertext::from_bytes(&parameters, &spec, &bytes)?;
            let opened = Decryptor::new(&parameters, &key).decrypt(&ciphertext.expand(&parameters));
            black_box(opened);
        }
        "convolve" => {
            let steps = Preprocessing {
                convolutions: vec![
                    ConvolutionShape {
                        channels: 3,
                        size: 4,
                        stride: 4,
                        pad: 1,
                    },
                    ConvolutionShape {
                        channels: 2,
                        size: 3,
                        stride: 2,
                        pad: 1,
                    },
                ],
                ..Vit::small(1, 1)?.config.preprocessing
            };
            let pixels = std::array::from_fn(|i| (i * i * usize::from(message) % 251) as u8);
            black_box(Stem::random(&steps, 1)?.patches(black_box(&Rgb32(pixels))));
        }
        // What the watcher must notice: one load from an address that a secret decides, one step more or less.
        "lookup" => {
            let table = black_box([0u64; 64]);
            black_box(table[usize::from(secret) * 8]);
        }
        "branch" => (0..black_box(message)).for_each(|step| {
            black_box(step);
        }),
        _ => return Err("no such work".into()),
    }
    Ok(())
}
