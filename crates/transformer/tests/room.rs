//! The released models under the released parameters: their values are far from wrapping around.

use circuits::{Room, ckks::Plaintext};
use model::{Lm, Vit};
use std::path::{Path, PathBuf};
use transformer::{
    EncryptedModel, LmNetwork, Network, TransformerError, VitNetwork, released_parameters,
};

/// At the tightest operation values may be so many times the largest of training, in bits.
const SPARE: f64 = 6.0;

fn folder(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../models")
        .join(model)
}

fn tightest<N, S>(network: N, sketch: impl Fn() -> Result<S, TransformerError>) -> Room
where
    N: Network<Plaintext = Plaintext>,
    S: Network<Plaintext = f64>,
{
    let parameters = released_parameters(&sketch).unwrap();
    let model = EncryptedModel::planned(&parameters, network, &sketch).unwrap();
    model.plan().circuit.tightest.clone().unwrap()
}

fn check(name: &str, room: &Room, largest: f64) {
    println!("{name}: {room:?}, largest value {largest}");
    assert!(
        room.bits > largest.log2() + SPARE,
        "{name}: {room:?} for {largest}"
    );
}

#[test]
fn the_released_models_leave_room_for_their_values() {
    for name in ["cifar100-vit", "cifar100-vit-deep"] {
        let vit = Vit::load(&folder(name)).unwrap();
        let ranges = &vit.config.ranges;
        let stream = ranges.blocks.iter().map(|block| block.stream);
        let largest = stream.fold(ranges.embed.max(ranges.logits), f64::max);
        let network = VitNetwork::new(&vit).unwrap();
        let room = tightest(network, || VitNetwork::new(&vit));
        check(name, &room, largest);
        // The room of what is bootstrapped is that of its bounds, not of operations on a part of the sine's interval.
        let bootstrapped = name.ends_with("deep");
        assert_eq!(room.operation == "refresh", bootstrapped, "{room:?}");
    }

    let lm = Lm::load(&folder("wiki-lm")).unwrap();
    let ranges = &lm.config.ranges;
    let stream = ranges.blocks.iter().map(|block| block.stream);
    let largest = stream.fold(ranges.hidden, f64::max);
    let network = LmNetwork::new(&lm).unwrap();
    check(
        "wiki-lm",
        &tightest(network, || LmNetwork::new(&lm)),
        largest,
    );
}
