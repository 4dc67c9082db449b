//! The operations that an encrypted transformer uses.

use crate::timing::Table;
use ckks::{
    CiphertextSpec, Complex64, Decryptor, Encryptor, EvaluationKeySet, Evaluator, KeyGenerator,
    KeyKind, KeySpec, Parameters, Plaintext, SecretKey, Seed, Subring, galois_element_of_rotation,
};
use ring::{Modulus, kernels_for};
use std::error::Error;

pub(crate) fn run(parameters: &Parameters, table: &Table) -> Result<(), Box<dyn Error>> {
    table.head();
    transforms(parameters, table)?;
    let (top, degree) = (parameters.max_level(), parameters.degree());
    let secret = SecretKey::new(parameters, &Seed::random()?);
    let generator = KeyGenerator::new(parameters, &secret);
    let spec = |kind| KeySpec { kind, level: top };
    let rotation = spec(KeyKind::Galois(galois_element_of_rotation(1, degree)));
    let mut keys = EvaluationKeySet::new(parameters);
    keys.insert(&generator.generate(&rotation)?);
    keys.insert(&generator.generate(&spec(KeyKind::Relinearization))?);
    let evaluator = Evaluator::new(parameters, &keys);
    let slots: Vec<Complex64> = (0..parameters.slots())
        .map(|i| Complex64::cis(i as f64))
        .collect();
    let encryptor = Encryptor::new(parameters, &secret);
    let shape = CiphertextSpec {
        level: top,
        log_scale: 30.0,
        subring: Subring::Full,
    };
    let fresh = encryptor.encrypt(&slots, &shape)?.expand(parameters);
    let weight = Plaintext::encode(parameters, &slots, parameters.scale()).ok_or("weights")?;

    client(
        parameters, table, &generator, rotation, &encryptor, &slots, shape,
    );
    for level in [top, top * 2 / 3, top / 3, 2] {
        let x = evaluator.drop_to(&fresh, level)?;
        let (hoisted, product) = (evaluator.hoist(&x)?, evaluator.mul(&x, &x)?);
        let row = |name: &str, work: &(dyn Fn() -> Result<ckks::Ciphertext, ckks::EvaluatorError> + Sync)| {
            table.row(parameters, name, Some(level), work);
        };
        row("key switch (relinearisation)", &|| {
            evaluator.relinearize(&product)
        });
        row("rotation", &|| evaluator.rotate(&x, 1));
        table.row(parameters, "hoisting, once", Some(level), || {
            evaluator.hoist(&x).map(|_| ())
        });
        row("hoisted rotation, each", &|| {
            evaluator.rotate_hoisted(&hoisted, 1)
        });
        row("product with relinearisation", &|| {
            evaluator.relinearize(&evaluator.mul(&x, &x)?)
        });
        row("product-sum of 8 ciphertexts", &|| {
            evaluator.dot(&[&x; 8], &[&x; 8])
        });
        row("plain product", &|| evaluator.mul_plain(&x, &weight));
        row("plain product-sum of 16", &|| {
            evaluator.dot_plain(&[&x; 16], &[&weight; 16])
        });
        row("sum", &|| evaluator.add(&x, &x));
        row("rescale", &|| evaluator.rescale(&x));
    }
    let (low, decryptor) = (
        evaluator.drop_to(&fresh, 1)?,
        Decryptor::new(parameters, &secret),
    );
    table.row(parameters, "decrypt and decode", Some(1), || {
        decryptor.decrypt(&low)
    });
    println!();
    Ok(())
}

fn transforms(parameters: &Parameters, table: &Table) -> Result<(), Box<dyn Error>> {
    let prime = Modulus::new(parameters.literal().chain[0]).ok_or("no modulus")?;
    let kernels = kernels_for(prime, parameters.degree());
    // Those between the first and the last differ from it in their sums alone.
    for kernel in kernels.first().into_iter().chain(kernels.last()) {
        let limb = vec![1; parameters.degree()];
        let hundred = |transform: &(dyn Fn(&mut [u32]) + Sync)| {
            let mut limb = limb.clone();
            (0..100).for_each(|_| transform(&mut limb));
        };
        table.row(
            parameters,
            &format!("100 transforms, {}", kernel.name()),
            None,
            || hundred(&|limb| kernel.forward(limb)),
        );
        table.row(
            parameters,
            &format!("100 inverse transforms, {}", kernel.name()),
            None,
            || hundred(&|limb| kernel.inverse(limb)),
        );
    }
    Ok(())
}

fn client(
    parameters: &Parameters,
    table: &Table,
    generator: &KeyGenerator<'_>,
    rotation: KeySpec,
    encryptor: &Encryptor<'_>,
    slots: &[Complex64],
    shape: CiphertextSpec,
) {
    let top = Some(shape.level);
    table.row(parameters, "rotation key", top, || {
        generator.generate(&rotation).map(|_| ())
    });
    table.row(parameters, "encode", None, || {
        Plaintext::encode(parameters, slots, parameters.scale())
    });
    table.row(parameters, "encode and encrypt", top, || {
        encryptor.encrypt(slots, &shape).map(|_| ()).is_ok()
    });
}
