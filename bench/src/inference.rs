//! One encrypted evaluation of each released model: operations, bytes, seconds, memory, precision.

use crate::{
    machine::resident,
    timing::{median, row},
};
use bench_engine::thread_milliseconds;
use ckks::{
    Ciphertext, Complex64, Decryptor, Encryptor, EvaluationKeySet, KeyGenerator, Parameters,
    Plaintext, SecretKey, Seed, SeededCiphertext,
};
use model::{Embedding, Lm, Vit};
use ndarray::Array2;
use std::{error::Error, ops::ControlFlow, path::Path, time::Instant};
use transformer::{
    EncryptedModel, LmNetwork, ModelPlan, Network, SlotLayout, TransformerError, VitNetwork,
    released_parameters,
};

pub fn run() -> Result<(), Box<dyn Error>> {
    let vit = Vit::load(Path::new("models/cifar100-vit"))?;
    vision(&vit, &released_parameters(|| VitNetwork::new(&vit))?)?;
    let folder = Path::new("models/wiki-lm");
    let lm = Lm::load(folder)?;
    let rows = sentence(&lm, &Embedding::load(folder, &lm.config.architecture)?)?;
    let parameters = released_parameters(|| LmNetwork::new(&lm))?;
    let model = EncryptedModel::planned(&parameters, LmNetwork::new(&lm)?, || LmNetwork::new(&lm))?;
    evaluate(&lm.config.name, &model, &rows, &lm.hidden(&rows).to_vec())
}

/// The deep vision transformer on either chain, with and without bootstrapping: minutes.
pub fn deep() -> Result<(), Box<dyn Error>> {
    let vit = Vit::load(Path::new("models/cifar100-vit-deep"))?;
    vision(&vit, &Parameters::n16_bootstrapping()?)?;
    vision(&vit, &Parameters::n16_q1168_p416()?)
}

fn vision(vit: &Vit, parameters: &Parameters) -> Result<(), Box<dyn Error>> {
    let patches = disc(vit);
    let model =
        EncryptedModel::planned(parameters, VitNetwork::new(vit)?, || VitNetwork::new(vit))?;
    let want = vit.logits(&patches).to_vec();
    evaluate(&vit.config.name, &model, &patches, &want)
}

fn evaluate<N: Network<Plaintext = Plaintext> + Sync>(
    name: &str,
    model: &EncryptedModel<N>,
    input: &Array2<f32>,
    want: &[f32],
) -> Result<(), Box<dyn Error>> {
    let (plan, parameters) = (model.plan(), model.parameters());
    println!("\n{name} under {}\n", parameters.name());
    operations(plan, parameters);
    sizes(plan, parameters)?;
    let start = Instant::now();
    println!(
        "plaintexts: {} in {:.1} MB of memory, encoded in {:.1} s",
        plan.circuit.plaintexts,
        mb(model.encode()?),
        start.elapsed().as_secs_f64(),
    );

    let secret = SecretKey::new(parameters, &Seed::random()?);
    let generator = KeyGenerator::new(parameters, &secret);
    let mut keys = EvaluationKeySet::new(parameters);
    let start = Instant::now();
    for spec in &plan.circuit.keys {
        keys.insert(&generator.generate(spec)?);
    }
    println!(
        "all keys made and prepared in {:.2} s, prepared {:.0} MB",
        start.elapsed().as_secs_f64(),
        mb(keys.heap_bytes())
    );

    let slots = packed(&plan.query_layout, plan.query.slots(parameters), input);
    let query = Encryptor::new(parameters, &secret)
        .encrypt(&slots, &plan.query)?
        .expand(parameters);
    println!(
        "\n| encrypted evaluation | runs | wall ms, median | process ms, mean |\n|---|---|---|---|"
    );
    let (mut result, mut leading) = (None, Vec::new());
    let threads = rayon::current_num_threads();
    // A deep network takes minutes.
    let runs = if parameters.log_n() > 15 { 1 } else { 3 };
    let together = row(&format!("{threads} threads"), runs, || {
        let (evaluated, milliseconds) = followed(model, &keys, &query);
        (result, leading) = (evaluated.ok(), [&leading[..], &[milliseconds]].concat());
    });
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut alone = 0.0;
    let one = row("one thread", 1, || {
        alone = single.install(|| followed(model, &keys, &query).1);
    });
    let leading = median(leading);
    println!(
        "\n{:.2} times as fast on {threads} threads; processor time of the thread that waits for the others: {leading:.0} ms of {alone:.0}, 1 / {:.2}",
        one / together,
        alone / leading
    );
    let opened = Decryptor::new(parameters, &secret).decrypt(&result.ok_or("no result")?);
    let range = want.iter().copied().fold(f32::MIN, f32::max)
        - want.iter().copied().fold(f32::MAX, f32::min);
    let worst = want
        .iter()
        .enumerate()
        .map(|(value, &w)| (opened[plan.result_layout.place(0, value).0].re as f32 - w).abs())
        .fold(0.0, f32::max);
    println!(
        "\nlargest difference of a value: 2^{:.1} of the values' range",
        (worst / range).log2()
    );
    let (peak, now) = resident(std::process::id());
    println!(
        "resident memory: {now:.0} MiB, peak {peak:.0} MiB (client and server in one process)"
    );
    Ok(())
}

/// A model's input in the slots of its query.
pub(crate) fn packed(layout: &SlotLayout, count: usize, input: &Array2<f32>) -> Vec<Complex64> {
    let mut slots = vec![Complex64::ZERO; count];
    for ((token, value), &number) in input.indexed_iter() {
        let (slot, imaginary) = layout.place(token, value);
        if imaginary {
            slots[slot].im = number as f64
        } else {
            slots[slot].re = number as f64
        }
    }
    slots
}

/// The result, and the processor milliseconds of the thread that leads from operation to operation.
fn followed<N: Network<Plaintext = Plaintext> + Sync>(
    model: &EncryptedModel<N>,
    keys: &EvaluationKeySet,
    query: &Ciphertext,
) -> (Result<Ciphertext, TransformerError>, f64) {
    let (mut first, mut last) = (None, 0.0);
    let result = model.evaluate(keys, query, &mut |_| {
        last = thread_milliseconds();
        first.get_or_insert(last);
        ControlFlow::Continue(())
    });
    (result, last - first.unwrap_or(last))
}

fn operations(plan: &ModelPlan, parameters: &Parameters) {
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
    let share = |cost: f64| 100.0 * cost / plan.circuit.cost();
    let on = |cores: usize| share(plan.circuit.cost_on(cores, parameters));
    println!(
        "\ncritical path of whole operations: {:.0} % of the work; one operation after the other, its limbs shared by 2, 4, 16 cores: {:.0} %, {:.0} %, {:.0} %",
        share(plan.circuit.critical_path),
        on(2),
        on(4),
        on(16),
    );
    if let Some(room) = &plan.circuit.tightest {
        println!(
            "least room: values up to 2^{:.1} after {} of {}",
            room.bits, room.operation, room.layer
        );
    }
}

fn sizes(plan: &ModelPlan, parameters: &Parameters) -> Result<(), Box<dyn Error>> {
    let bytes = |key: &ckks::KeySpec| key.wire_bytes(parameters);
    println!(
        "\nevaluation keys: {} of together {:.1} MB",
        plan.circuit.keys.len(),
        mb(plan.circuit.keys.iter().map(bytes).sum())
    );
    println!(
        "query {:.2} MB, result {:.2} MB\n",
        mb(SeededCiphertext::wire_bytes(parameters, &plan.query)?),
        mb(Ciphertext::wire_bytes(parameters, &plan.result)?)
    );
    Ok(())
}

fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The patches of a picture made here: a bright disc on a gradient.
pub(crate) fn disc(vit: &Vit) -> Array2<f32> {
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
    vit.patches(&model::image::Rgb32(rgb))
}

/// A window of tokens made here: one in seven of the vocabulary, in turn.
pub(crate) fn sentence(lm: &Lm, embedding: &Embedding) -> Result<Array2<f32>, model::ModelError> {
    let shape = &lm.config.architecture;
    let token = |t: usize| (1 + 7 * t) % shape.vocabulary;
    let tokens: Vec<u32> = (0..shape.window).map(|t| token(t) as u32).collect();
    embedding.rows(&tokens)
}
