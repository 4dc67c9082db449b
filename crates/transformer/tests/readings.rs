//! The encrypted transformer against the ndarray reference, in all three readings, at a small insecure ring.

mod common;
use circuits::{Cleartext, NoEncoding, Planner, Shape};
use ckks::{Decryptor, Encryptor, EvaluationKeySet, KeyGenerator, Parameters, SecretKey, Seed};
use common::{LOG_N, deviation, pack, patches, unpack};
use model::Vit;
use std::ops::ControlFlow;
use transformer::{EncryptedVit, Network, SlotLayout, TransformerError};

#[test]
fn slot_vectors_agree_with_the_reference() {
    for blocks in 1..=3 {
        let vit = Vit::small(blocks, 7 + blocks as u64).unwrap();
        let parameters = Parameters::insecure(LOG_N, 21).unwrap();
        let network = Network::new(&vit).unwrap();
        let packing = network.packing();
        let input = patches(&vit, blocks as f32);
        let layout = SlotLayout::input(packing, vit.config.architecture.inputs);
        let cleartext = Cleartext::new(&parameters);
        let query = cleartext.encrypt(
            &pack(&layout, packing.slots() / 2, &input),
            network.query_level(),
        );
        let result = network.evaluate(&cleartext, &query).unwrap();
        let output = SlotLayout::output(packing, vit.config.architecture.classes);
        let want = vit.logits(&input).to_vec();
        let deviation = deviation(&unpack(&output, &result.slots), &want);
        assert!(deviation < 1e-5, "{blocks} blocks: {deviation}");
        assert_eq!(result.shape.level, 1);
    }
}

#[test]
fn ciphertexts_agree_with_the_reference() {
    let vit = Vit::small(2, 3).unwrap();
    let parameters = Parameters::insecure(LOG_N, 15).unwrap();
    let model = EncryptedVit::new(&parameters, &vit).unwrap();
    let plan = model.plan();
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
    let input = patches(&vit, 0.5);
    let slots = pack(&plan.query_layout, plan.query.slots(&parameters), &input);
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
    assert!(last > 0.99);
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
    let deviation = deviation(&got, &vit.logits(&input).to_vec());
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
            .starts_with("embedding, rotate: the key galois-"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_refused_before_any_ciphertext() {
    let vit = Vit::small(3, 1).unwrap();
    let refused = |parameters: Parameters| {
        EncryptedVit::new(&parameters, &vit)
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
    let error = Network::new(&vit)
        .unwrap()
        .evaluate(&planner, &Shape::fresh(9, parameters.scale()))
        .unwrap_err();
    assert!(error.to_string().starts_with("block 2: "), "{error}");
    let mut odd = vit;
    odd.config.architecture.heads = 4;
    let refusal = Network::<f64>::new(&odd).map(|_| ()).unwrap_err();
    assert_eq!(
        refusal,
        TransformerError::Architecture("heads as wide as there are tokens")
    );
}
