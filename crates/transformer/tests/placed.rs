//! Networks deeper than their chain: bootstrapped where that is cheapest, by the same plan that names keys, levels and cost.

mod common;
use ckks::{
    Decryptor, Encryptor, EvaluationKeySet, KeyGenerator, KeyKind, Parameters, SecretKey, Seed,
};
use common::{LOG_N, deviation, pack, patches, unpack};
use model::{Point, Vit};
use std::{ops::ControlFlow, path::Path};
use transformer::{EncryptedModel, Network, TransformerError, VitNetwork, released_parameters};

/// With branches so weak that eight of them keep the stream small, and the ranges that its values have.
fn measured(blocks: usize, seed: u64) -> Vit {
    let mut vit = Vit::small(blocks, seed).unwrap();
    for block in &mut vit.blocks {
        block.output.weight.mapv_inplace(|w| w / 4.0);
        block.down.weight.mapv_inplace(|w| w / 4.0);
    }
    let mut streams = vec![0f64; blocks];
    for sample in 0..4 {
        let input = patches(&vit, sample as f32 / 2.0);
        vit.logits_observed(&input, |point, values| {
            if let Point::Stream(block) = point {
                streams[block] = values.iter().fold(streams[block], |m, v| m.max(v.abs()));
            }
        });
    }
    println!("streams {streams:.2?}");
    for (ranges, stream) in vit.config.ranges.blocks.iter_mut().zip(streams) {
        ranges.stream = stream;
    }
    vit
}

#[test]
fn a_network_deeper_than_its_chain_agrees_with_the_reference() {
    let vit = measured(8, 3);
    let parameters = Parameters::insecure_bootstrapping(LOG_N).unwrap();
    let network = VitNetwork::new(&vit).unwrap();
    assert!(network.query_level() > parameters.max_level());
    let model = EncryptedModel::planned(&parameters, network, || VitNetwork::new(&vit)).unwrap();
    let plan = model.plan();
    let placement = plan.placement.as_ref().unwrap();
    println!("{placement:?}, {} keys", plan.circuit.keys.len());
    assert!(placement.refreshes() > 0);
    assert!((plan.circuit.cost() / placement.cost - 1.0).abs() < 0.01);
    let level_of = |kind| {
        plan.circuit
            .keys
            .iter()
            .find(|key| key.kind == kind)
            .map(|key| key.level)
    };
    assert_eq!(level_of(KeyKind::ToEphemeral), Some(1));
    assert_eq!(
        level_of(KeyKind::FromEphemeral),
        Some(parameters.max_level())
    );

    let secret = SecretKey::new(&parameters, &Seed::from_bytes([5; 32]));
    let generator = KeyGenerator::new(&parameters, &secret);
    let mut keys = EvaluationKeySet::new(&parameters);
    for spec in &plan.circuit.keys {
        keys.insert(&generator.generate(spec).unwrap());
    }
    let input = patches(&vit, 0.5);
    let slots = pack(&plan.query_layout, plan.query.slots(&parameters), &input);
    let query = Encryptor::new(&parameters, &secret)
        .encrypt(&slots, &plan.query)
        .unwrap()
        .expand(&parameters);
    let (mut done, mut refreshing) = (0.0, 0.0);
    let result = model
        .evaluate(&keys, &query, &mut |progress| {
            if progress.layer.starts_with("bootstrapping") {
                refreshing += progress.done - done;
            }
            done = progress.done;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(
        done > 0.99 && refreshing > 0.05,
        "progress {done}, of it {refreshing} refreshing"
    );
    let opened = Decryptor::new(&parameters, &secret).decrypt(&result);
    let want = vit.logits(&input).to_vec();
    let deviation = deviation(&unpack(&plan.result_layout, &opened), &want);
    println!("off by 2^{:.1} of the range", deviation.log2());
    assert!(deviation < 1.0 / 64.0, "{deviation}");
}

#[test]
fn without_an_ephemeral_secret_depth_is_refused() {
    let vit = Vit::small(8, 3).unwrap();
    let parameters = Parameters::insecure(LOG_N, 45).unwrap();
    let network = VitNetwork::new(&vit).unwrap();
    let needed = network.query_level();
    let error = EncryptedModel::planned(&parameters, network, || VitNetwork::new(&vit));
    let expected = TransformerError::Parameters {
        what: "levels",
        needed,
        found: 44,
    };
    assert_eq!(error.err(), Some(expected));
}

#[test]
fn released_models_take_the_cheapest_parameters() {
    let chosen = |model: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let vit = Vit::load(&folder.join(model)).unwrap();
        released_parameters(|| VitNetwork::new(&vit)).unwrap()
    };
    assert_eq!(chosen("cifar100-vit").name(), "n15-q630-p237");
    assert_eq!(chosen("cifar100-vit-deep").name(), "n16-q1348-p389-h32");
}

/// What the deep model costs on a chain that carries it and on one with bootstrapping, where the planner may refresh or not.
#[test]
#[ignore = "prints a table"]
fn the_deep_model_with_and_without_bootstrapping() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/cifar100-vit-deep");
    let vit = Vit::load(&folder).unwrap();
    println!("| set | query level | refreshes to | cost | keys | MB | largest |");
    for parameters in [
        Parameters::n16_q1168_p416(),
        Parameters::n16_bootstrapping(),
    ] {
        let parameters = parameters.unwrap();
        let network = VitNetwork::new(&vit).unwrap();
        let model =
            EncryptedModel::planned(&parameters, network, || VitNetwork::new(&vit)).unwrap();
        let plan = model.plan();
        let refreshed = plan.placement.iter().flat_map(|p| p.steps.iter().flatten());
        let bytes = plan
            .circuit
            .keys
            .iter()
            .map(|key| key.wire_bytes(&parameters));
        println!(
            "| {} | {} | {:?} | {:.0} | {} | {:.1} | {:.1} |",
            parameters.name(),
            plan.query.level,
            refreshed.collect::<Vec<_>>(),
            plan.circuit.cost(),
            plan.circuit.keys.len(),
            bytes.clone().sum::<usize>() as f64 / 1e6,
            bytes.max().unwrap_or(0) as f64 / 1e6,
        );
    }
}
