//! The operations that an encrypted transformer uses, by level.

use crate::timing::row;
use ckks::{
    CiphertextSpec, Complex64, Decryptor, Encryptor, EvaluationKeySet, Evaluator, KeyGenerator,
    KeyKind, KeySpec, Parameters, Plaintext, SecretKey, Seed, Subring, galois_element_of_rotation,
};
use ring::{Modulus, kernels_for, primes::ntt_primes_below};
use std::error::Error;

pub fn run() -> Result<(), Box<dyn Error>> {
    let parameters = Parameters::n15_q630_p237()?;
    println!(
        "engine, {}: log2 QP = {:.1}\n",
        parameters.name(),
        parameters.log_qp()
    );
    println!("| operation | runs | wall ms, median | process ms, mean |\n|---|---|---|---|");
    let prime = ntt_primes_below(1 << 30, parameters.degree())
        .next()
        .and_then(Modulus::new)
        .ok_or("no prime")?;
    // The kernels between the first and the last differ in their sums alone.
    let kernels = kernels_for(prime, parameters.degree());
    for kernel in kernels.first().into_iter().chain(kernels.last()) {
        let mut limb = vec![1; parameters.degree()];
        row(&format!("1000 NTT, one limb, {}", kernel.name()), 5, || {
            (0..1000).for_each(|_| kernel.forward(&mut limb))
        });
    }
    let secret = SecretKey::new(&parameters, &Seed::random()?);
    let generator = KeyGenerator::new(&parameters, &secret);
    let top = parameters.max_level();
    let rotation = KeySpec {
        kind: KeyKind::Galois(galois_element_of_rotation(1, parameters.degree())),
        level: top,
    };
    let relinearization = KeySpec {
        kind: KeyKind::Relinearization,
        level: top,
    };
    row("Galois key generation, top level", 5, || {
        generator.generate(&rotation)
    });
    let mut keys = EvaluationKeySet::new(&parameters);
    keys.insert(&generator.generate(&rotation)?);
    keys.insert(&generator.generate(&relinearization)?);
    let slots: Vec<Complex64> = (0..parameters.slots())
        .map(|i| Complex64::cis(i as f64))
        .collect();
    let spec = CiphertextSpec {
        level: top,
        log_scale: 30.0,
        subring: Subring::Full,
    };
    let encryptor = Encryptor::new(&parameters, &secret);
    row("encode", 25, || {
        Plaintext::encode(&parameters, &slots, parameters.scale())
    });
    row("encrypt, top level", 25, || {
        encryptor.encrypt(&slots, &spec)
    });
    let fresh = encryptor.encrypt(&slots, &spec)?.expand(&parameters);
    let evaluator = Evaluator::new(&parameters, &keys);
    let weights: Vec<Plaintext> = (0..16)
        .filter_map(|_| Plaintext::encode(&parameters, &slots, parameters.scale()))
        .collect();
    for level in [top, 13, 7, 2] {
        let x = evaluator.drop_to(&fresh, level)?;
        let product = evaluator.mul(&x, &x)?;
        let hoisted = evaluator.hoist(&x)?;
        let at = |name: &str| format!("{name}, level {level}");
        row(&at("rotate"), 25, || evaluator.rotate(&x, 1));
        row(&at("rotate, hoisted"), 25, || {
            evaluator.rotate_hoisted(&hoisted, 1)
        });
        row(&at("product with relinearisation"), 25, || {
            evaluator.relinearize(&evaluator.mul(&x, &x)?)
        });
        row(&at("product-sum of 8 ciphertexts"), 25, || {
            evaluator.dot(&[&x; 8], &[&x; 8])
        });
        row(&at("plain product-sum of 16"), 25, || {
            evaluator.dot_plain(&[&x; 16], &weights.iter().collect::<Vec<_>>())
        });
        let two = evaluator.relinearize(&product)?;
        row(&at("rescale"), 25, || evaluator.rescale(&two));
    }
    let low = evaluator.drop_to(&fresh, 1)?;
    let decryptor = Decryptor::new(&parameters, &secret);
    row("decrypt and decode, level 1", 25, || {
        decryptor.decrypt(&low)
    });
    println!();
    Ok(())
}
