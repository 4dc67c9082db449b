//! What can be chosen: slots, factors, keys against time, precision against levels.

use crate::CircuitError;
use ckks::Parameters;

/// The choices of one bootstrapping.
#[derive(Clone, Debug, PartialEq)]
pub struct BootstrappingSettings {
    /// Slots of the message, a power of two: all of a ciphertext's, or a quarter of its degree and fewer, which repeat.
    pub slots: usize,
    /// Whether the slots are real: what is imaginary in them is dropped, which saves one reduction of two (and, for few slots, a level).
    pub real: bool,
    /// Layers of the factors of SlotsToCoeffs, smallest stride first: one prime each.
    pub slots_to_coeffs: Vec<u32>,
    /// Layers of the factors of CoeffsToSlots, smallest stride first: two primes each.
    pub coeffs_to_slots: Vec<u32>,
    /// Baby steps of a factor, the zeroth counted, a power of two. All baby steps of a factor use one key, all giant steps another; with
    /// `2^l` for `l` layers the giant step is the baby step of the next factor, and has its key.
    pub babies: usize,
    /// log2 of base modulus over scale of the message when the modulus is raised: the sine is exact to twice as many bits, and 2.6 bits
    /// less.
    pub ratio: f64,
    /// log2 of the scale after SlotsToCoeffs over that before it: bits of plaintexts against bits of ciphertexts.
    pub growth: f64,
}

impl BootstrappingSettings {
    /// All slots, three factors each way.
    pub fn full(parameters: &Parameters) -> Self {
        Self::sparse(parameters.slots())
    }

    /// All slots, real ones.
    pub fn real(parameters: &Parameters) -> Self {
        Self {
            real: true,
            ..Self::full(parameters)
        }
    }

    /// A power of two of slots that repeat, three factors each way.
    pub fn sparse(slots: usize) -> Self {
        let layers = slots.max(8).ilog2();
        let factors: Vec<u32> = (0..3).map(|k| (layers + 2 - k) / 3).collect();
        Self {
            slots,
            real: false,
            slots_to_coeffs: factors.clone(),
            coeffs_to_slots: factors,
            babies: 8,
            ratio: 13.0,
            growth: 5.0,
        }
    }

    pub(super) fn check(&self, parameters: &Parameters) -> Result<(), CircuitError> {
        let layers = self.slots.checked_ilog2().unwrap_or(0);
        let whole = |radices: &[u32]| {
            !radices.is_empty() && !radices.contains(&0) && radices.iter().sum::<u32>() == layers
        };
        if !self.slots.is_power_of_two() || self.slots > parameters.slots() {
            Err(CircuitError::Bootstrapping(
                "slots are a power of two and fit a ciphertext",
            ))
        } else if !whole(&self.slots_to_coeffs) || !whole(&self.coeffs_to_slots) {
            Err(CircuitError::Bootstrapping(
                "the factors' layers do not add up to log2 of the slots",
            ))
        } else if !self.babies.is_power_of_two() {
            Err(CircuitError::Bootstrapping("baby steps are a power of two"))
        } else if !(1.0..=40.0).contains(&self.ratio) || !(0.0..=20.0).contains(&self.growth) {
            Err(CircuitError::Bootstrapping("a scale is out of range"))
        } else {
            Ok(())
        }
    }
}
