//! Under which released parameters a network is evaluated.

use crate::{Network, TransformerError, encrypted_model::sketched};
use circuits::ckks::Parameters;

/// The shortest released set that carries all levels of a network, or that with bootstrapping where the planner finds it cheaper or nothing
/// else reaches the end. Where no set does, the longest with the network's slots, so that planning says what lacks.
///
/// `sketch` makes the network over scales alone.
pub fn released_parameters<S: Network<Plaintext = f64>>(
    sketch: impl Fn() -> Result<S, TransformerError>,
) -> Result<Parameters, TransformerError> {
    let network = sketch()?;
    let has_slots = |set: &Parameters| set.slots() == network.packing().slots();
    let carries = |set: &Parameters| set.max_level() >= network.query_level();
    let [leveled @ .., bootstrapping] = Parameters::released()?;
    let fitting = leveled.iter().find(|set| has_slots(set) && carries(set));
    let bootstrapped = Some(bootstrapping).filter(has_slots);
    match (fitting, bootstrapped) {
        (Some(leveled), Some(bootstrapped)) => {
            let cost = |set| Ok::<_, TransformerError>(sketched(set, &sketch)?.circuit.cost());
            match cost(&bootstrapped)? < cost(leveled)? {
                true => Ok(bootstrapped),
                false => Ok(leveled.clone()),
            }
        }
        (Some(leveled), None) => Ok(leveled.clone()),
        (None, Some(bootstrapped)) => Ok(bootstrapped),
        (None, None) => {
            let [.., longest] = &leveled;
            let longest = leveled
                .iter()
                .rfind(|set| has_slots(set))
                .unwrap_or(longest);
            Ok(longest.clone())
        }
    }
}
