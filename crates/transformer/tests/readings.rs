//! The encrypted transformer against the ndarray reference, in all three readings, at a small insecure ring.

mod common;
use circuits::{Cleartext, Evaluator, NoEncoding, Plan, Planner, Shape};
use ckks::{
    Decryptor, Encryptor, EvaluationKeySet, KeyGenerator, Parameters, Plaintext, SecretKey, Seed,
    Subring,
};
use common::{LOG_N, deviation, pack, patches, unpack};
use model::{Embedding, Lm, Sigma, Vit};
use ndarray::Array2;
use std::ops::ControlFlow;
use transformer::{EncryptedModel, LmNetwork, Network, TransformerError, VitNetwork};

/// Random gains are small; larger ones let a wrong mask show.
fn language_model(blocks: usize, seed: u64) -> (Lm, Embedding) {
    let (mut lm, embedding) = Lm::small(blocks, 40, seed).unwrap();
    for block in &mut lm.blocks {
        if let Sigma::Causal { gain, offset, .. } = &mut block.sigma {
            gain.mapv_inplace(|g| 1.0 + 2.0 * g);
            offset.mapv_inplace(|d| 3.0 * d);
        }
    }
    (lm, embedding)
}

fn window(embedding: &Embedding, seed: u32) -> Array2<f32> {
    let tokens: Vec<u32> = (0..16).map(|t| (seed + t * t * 7 + 3 * t) % 40).collect();
    embedding.rows(&tokens).unwrap()
}

/// Sizes that no packing takes as they are: three heads, an MLP that is not twice as wide, and offsets for each displacement.
fn uneven_vit(blocks: usize, seed: u64) -> Vit {
    let mut config = Vit::small(blocks, seed).unwrap().config;
    let shape = &mut config.architecture;
    (shape.heads, shape.width, shape.hidden) = (3, 48, 80);
    shape.displacements = true;
    let mut vit = Vit::random(config, seed).unwrap();
    for block in &mut vit.blocks {
        if let Sigma::Unordered { offset, .. } = &mut block.sigma {
            offset.mapv_inplace(|d| 3.0 * d);
        }
    }
    vit
}

fn log_n(network: &impl Network) -> u32 {
    network.packing().slots().ilog2() + 1
}

fn on_slot_vectors<N: Network<Plaintext = <Cleartext as Evaluator>::Plaintext>>(
    network: &N,
    input: &Array2<f32>,
    want: &[f32],
) {
    let parameters = Parameters::insecure(log_n(network), 23).unwrap();
    let cleartext = Cleartext::new(&parameters);
    let slots = match network.query_subring() {
        Subring::Even => parameters.slots() / 2,
        Subring::Full | Subring::Real => parameters.slots(),
    };
    let message = pack(&network.query_layout(), slots, input);
    let query = cleartext.encrypt(
        &message,
        network.query_level(),
        parameters.scale() * network.query_scale(),
    );
    let result = network.evaluate(&cleartext, &query).unwrap();
    let deviation = deviation(&unpack(&network.result_layout(), &result.slots), want);
    assert!(deviation < 1e-5, "{deviation}");
    assert_eq!(result.shape.level, 1);
}

#[test]
fn slot_vectors_agree_with_the_reference() {
    for blocks in 1..=3 {
        let vit = Vit::small(blocks, 7 + blocks as u64).unwrap();
        let input = patches(&vit, blocks as f32);
        on_slot_vectors(
            &VitNetwork::new(&vit).unwrap(),
            &input,
            &vit.logits(&input).to_vec(),
        );
        let vit = uneven_vit(blocks, 9);
        on_slot_vectors(
            &VitNetwork::new(&vit).unwrap(),
            &input,
            &vit.logits(&input).to_vec(),
        );
        let (lm, embedding) = language_model(blocks, 7 + blocks as u64);
        let input = window(&embedding, blocks as u32);
        on_slot_vectors(
            &LmNetwork::new(&lm).unwrap(),
            &input,
            &lm.hidden(&input).to_vec(),
        );
    }
}

fn on_ciphertexts<N: Network<Plaintext = Plaintext> + Sync, S: Network<Plaintext = f64>>(
    primes: usize,
    network: N,
    sketch: impl Fn() -> Result<S, TransformerError>,
    input: &Array2<f32>,
    want: &[f32],
    first_layer: &str,
) {
    let parameters = Parameters::insecure(log_n(&network), primes).unwrap();
    let model = EncryptedModel::planned(&parameters, network, sketch).unwrap();
    let plan = model.plan();
    assert!(!model.is_encoded() && plan.circuit.plaintext_bytes == 0);
    let secret = SecretKey::new(&parameters, &Seed::from_bytes([5; 32]));
    let mut keys = EvaluationKeySet::new(&parameters);
    for spec in &plan.circuit.keys {
        keys.insert(
            &KeyGenerator::new(&parameters, &secret)
                .generate(spec)
                .unwrap(),
        );
    }
    assert!(
        plan.circuit.keys.len() <= 12,
        "few keys: {:?}",
        plan.circuit.keys
    );
    let slots = pack(&plan.query_layout, plan.query.slots(&parameters), input);
    let query = Encryptor::new(&parameters, &secret)
        .encrypt(&slots, &plan.query)
        .unwrap()
        .expand(&parameters);
    let (mut last, mut layers) = (0.0, Vec::new());
    let result = model
        .evaluate(&keys, &query, &mut |progress| {
            assert!(progress.done >= last && progress.done <= 1.0);
            last = progress.done;
            if layers.last().map(String::as_str) != Some(progress.layer) {
                layers.push(progress.layer.to_owned());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(last > 0.99 && model.is_encoded());
    let planned: Vec<_> = plan
        .circuit
        .layers
        .iter()
        .map(|layer| layer.name.clone())
        .collect();
    assert_eq!(layers, planned);
    assert_eq!(
        (result.level(), result.scale().log2()),
        (plan.result.level, plan.result.log_scale)
    );
    let got = unpack(
        &plan.result_layout,
        &Decryptor::new(&parameters, &secret).decrypt(&result),
    );
    let deviation = deviation(&got, want);
    assert!(deviation < 1.0 / 256.0, "{deviation}");

    let mut left = 100;
    let stopped = model.evaluate(&keys, &query, &mut |_| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(stopped.unwrap_err().is_cancelled());
    let empty = EvaluationKeySet::new(&parameters);
    let error = model
        .evaluate(&empty, &query, &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("{first_layer}: the key galois-")),
        "{error}"
    );
}

#[test]
fn ciphertexts_agree_with_the_reference() {
    let vit = Vit::small(2, 3).unwrap();
    let input = patches(&vit, 0.5);
    let want = vit.logits(&input).to_vec();
    on_ciphertexts(
        15,
        VitNetwork::new(&vit).unwrap(),
        || VitNetwork::new(&vit),
        &input,
        &want,
        "embedding, rotate",
    );
    let vit = uneven_vit(2, 3);
    let want = vit.logits(&input).to_vec();
    on_ciphertexts(
        15,
        VitNetwork::new(&vit).unwrap(),
        || VitNetwork::new(&vit),
        &input,
        &want,
        "embedding, rotate",
    );
    let (lm, embedding) = language_model(2, 3);
    let input = window(&embedding, 5);
    let want = lm.hidden(&input).to_vec();
    on_ciphertexts(
        15,
        LmNetwork::new(&lm).unwrap(),
        || LmNetwork::new(&lm),
        &input,
        &want,
        "query, conjugate",
    );
}

#[test]
fn a_plan_is_the_same_with_and_without_encoded_weights() {
    let vit = Vit::small(1, 3).unwrap();
    let parameters = Parameters::insecure(LOG_N, 9).unwrap();
    let network = || VitNetwork::new(&vit).unwrap();
    let now = EncryptedModel::new(&parameters, network()).unwrap();
    let later = EncryptedModel::planned(&parameters, network(), || VitNetwork::new(&vit)).unwrap();
    assert!(now.is_encoded() && now.plan().circuit.plaintext_bytes > 0);
    assert_eq!(
        Plan {
            plaintext_bytes: 0,
            ..now.plan().circuit.clone()
        },
        later.plan().circuit
    );
}

#[test]
fn what_does_not_fit_is_refused_before_any_ciphertext() {
    let vit = Vit::small(3, 1).unwrap();
    let refused = |parameters: Parameters| {
        EncryptedModel::new(&parameters, VitNetwork::new(&vit).unwrap())
            .map(|_| ())
            .unwrap_err()
    };
    let error = refused(Parameters::insecure(LOG_N, 20).unwrap());
    assert_eq!(
        error,
        TransformerError::Parameters {
            what: "levels",
            needed: 20,
            found: 19
        }
    );
    let error = refused(Parameters::insecure(LOG_N - 1, 21).unwrap());
    assert_eq!(
        error,
        TransformerError::Parameters {
            what: "slots",
            needed: 1024,
            found: 512
        }
    );
    // A circuit that starts too low stops in the planner, which names layer and operation.
    let parameters = Parameters::insecure(LOG_N, 21).unwrap();
    let planner = Planner::new(&parameters, NoEncoding);
    let error = VitNetwork::new(&vit)
        .unwrap()
        .evaluate(&planner, &Shape::fresh(9, parameters.scale()))
        .unwrap_err();
    assert!(error.to_string().starts_with("block 2: "), "{error}");
    let mut odd = vit;
    odd.config.architecture.heads = 4;
    let refusal = VitNetwork::<f64>::new(&odd).map(|_| ()).unwrap_err();
    assert_eq!(
        refusal,
        TransformerError::Architecture("heads as wide as there are tokens")
    );
}
