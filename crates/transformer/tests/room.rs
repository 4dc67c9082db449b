//! The released models under the released parameters: their values are far from wrapping around.

use circuits::{NoEncoding, Planner, Room, Shape};
use model::{Lm, Vit};
use std::path::{Path, PathBuf};
use transformer::{LmNetwork, Network, VitNetwork};

/// At the tightest operation values may be so many times the largest of training, in bits.
const SPARE: f64 = 6.0;

fn folder(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../models")
        .join(model)
}

fn tightest<N: Network<Plaintext = f64>>(network: &N) -> Room {
    let parameters = network.released_parameters().unwrap();
    let planner = Planner::new(&parameters, NoEncoding);
    let scale = parameters.scale() * network.query_scale();
    let query = Shape::fresh(network.query_level(), scale);
    network.evaluate(&planner, &query).unwrap();
    planner.into_plan().tightest.unwrap()
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
        check(name, &tightest(&VitNetwork::new(&vit).unwrap()), largest);
    }

    let lm = Lm::load(&folder("wiki-lm")).unwrap();
    let ranges = &lm.config.ranges;
    let stream = ranges.blocks.iter().map(|block| block.stream);
    let largest = stream.fold(ranges.hidden, f64::max);
    check("wiki-lm", &tightest(&LmNetwork::new(&lm).unwrap()), largest);
}
