//! The encrypted classification of one image: bytes, seconds, memory, precision.

use crate::{machine::resident, timing::row};
use ckks::{
    Ciphertext, Complex64, Decryptor, Encryptor, EvaluationKeySet, KeyGenerator, Parameters,
    SecretKey, Seed, SeededCiphertext,
};
use model::Vit;
use std::{error::Error, ops::ControlFlow, path::Path, time::Instant};
use transformer::{EncryptedModel, VitNetwork};

pub fn run() -> Result<(), Box<dyn Error>> {
    let parameters = Parameters::n15_q630_p237()?;
    let vit = Vit::load(Path::new("models/cifar100-vit"))?;
    let start = Instant::now();
    let model = EncryptedModel::new(&parameters, VitNetwork::new(&vit)?)?;
    let plan = model.plan();
    println!(
        "{} under {}, planned and encoded in {:.1} s\n",
        vit.config.name,
        parameters.name(),
        start.elapsed().as_secs_f64()
    );
    println!(
        "| layer | level after | rotations | relinearisations | products | plain products | cost |\n|---|---|---|---|---|---|---|"
    );
    for layer in &plan.circuit.layers {
        println!(
            "| {} | {} | {} | {} | {} | {} | {:.1} % |",
            layer.name,
            layer.level,
            layer.rotations,
            layer.relinearizations,
            layer.products,
            layer.plain_products,
            100.0 * layer.cost / plan.circuit.cost()
        );
    }
    let mb = |bytes: usize| bytes as f64 / 1e6;
    let key_bytes: usize = plan
        .circuit
        .keys
        .iter()
        .map(|key| key.wire_bytes(&parameters))
        .sum();
    println!(
        "\nevaluation keys: {} of together {:.1} MB",
        plan.circuit.keys.len(),
        mb(key_bytes)
    );
    println!(
        "query {:.2} MB, result {:.2} MB\n",
        mb(SeededCiphertext::wire_bytes(&parameters, &plan.query)?),
        mb(Ciphertext::wire_bytes(&parameters, &plan.result)?)
    );

    let secret = SecretKey::new(&parameters, &Seed::random()?);
    let generator = KeyGenerator::new(&parameters, &secret);
    let mut keys = EvaluationKeySet::new(&parameters);
    let start = Instant::now();
    for spec in &plan.circuit.keys {
        keys.insert(&generator.generate(spec)?);
    }
    println!(
        "all keys made and prepared in {:.2} s, prepared {:.0} MB",
        start.elapsed().as_secs_f64(),
        mb(keys.heap_bytes())
    );

    let inputs = vit.config.architecture.inputs;
    let patches = ndarray_patches(&vit);
    let mut slots = vec![Complex64::ZERO; plan.query.slots(&parameters)];
    for (index, &value) in patches.iter().enumerate() {
        let (slot, imaginary) = plan.query_layout.place(index / inputs, index % inputs);
        if imaginary {
            slots[slot].im = value as f64
        } else {
            slots[slot].re = value as f64
        }
    }
    let query = Encryptor::new(&parameters, &secret)
        .encrypt(&slots, &plan.query)?
        .expand(&parameters);
    println!(
        "\n| encrypted classification | runs | wall ms, median | process ms, mean |\n|---|---|---|---|"
    );
    let mut result = None;
    row("two threads or as the machine has", 3, || {
        result = model
            .evaluate(&keys, &query, &mut |_| ControlFlow::Continue(()))
            .ok();
    });
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    row("one thread", 1, || {
        single.install(|| {
            model
                .evaluate(&keys, &query, &mut |_| ControlFlow::Continue(()))
                .map(|_| ())
        })
    });
    let opened = Decryptor::new(&parameters, &secret).decrypt(&result.ok_or("no result")?);
    let want = vit.logits(&patches);
    let range = want.iter().copied().fold(f32::MIN, f32::max)
        - want.iter().copied().fold(f32::MAX, f32::min);
    let worst = want
        .iter()
        .enumerate()
        .map(|(class, &w)| (opened[plan.result_layout.place(0, class).0].re as f32 - w).abs())
        .fold(0.0, f32::max);
    println!(
        "\nlargest difference of a logit: 2^{:.1} of the logits' range",
        (worst / range).log2()
    );
    let (peak, now) = resident(std::process::id());
    println!(
        "resident memory: {now:.0} MiB, peak {peak:.0} MiB (client and server in one process)"
    );
    Ok(())
}

/// The patches of a picture made here: a bright disc on a gradient.
fn ndarray_patches(vit: &Vit) -> ndarray::Array2<f32> {
    let mut rgb = [0u8; 3072];
    for (i, pixel) in rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (i % 32, i / 32);
        let disc = (x as i32 - 16).pow(2) + (y as i32 - 16).pow(2) < 81;
        pixel.copy_from_slice(&[
            if disc { 220 } else { 4 * x as u8 },
            6 * y as u8,
            if disc { 60 } else { 160 },
        ]);
    }
    model::image::patches(&model::image::Rgb32(rgb), &vit.config.preprocessing)
}
