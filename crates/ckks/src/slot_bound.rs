//! What is known of the slots of a ciphertext without opening it, carried from operation to operation.

use crate::Parameters;

/// Bounds on every slot, multiplied by the scale: on the message, and on the distance between the message and what decryption gives.
///
/// Terms are added as absolute values, so a bound holds whatever the operands have to do with each other; each random term holds except
/// with probability 2^-40, and `k` of them except with `k 2^-40`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotBound {
    /// The largest message, times the scale.
    pub message: f64,
    /// The largest error, times the scale.
    pub noise: f64,
}

impl SlotBound {
    /// A fresh ciphertext of slots up to `message / scale`.
    pub fn fresh(parameters: &Parameters, message: f64) -> Self {
        Self {
            message,
            noise: parameters.fresh_noise(),
        }
    }

    /// A plaintext of slots up to `message / scale`.
    pub fn encoded(parameters: &Parameters, message: f64) -> Self {
        Self {
            message,
            noise: parameters.encoding_noise(),
        }
    }

    /// A sum or a difference of ciphertexts, or of a ciphertext and a plaintext.
    pub fn sum(self, other: Self) -> Self {
        Self {
            message: self.message + other.message,
            noise: self.noise + other.noise,
        }
    }

    /// A product of ciphertexts, or of a ciphertext and a plaintext, before relinearisation.
    pub fn product(self, other: Self) -> Self {
        Self {
            message: self.message * other.message,
            noise: self.message * other.noise
                + other.message * self.noise
                + self.noise * other.noise,
        }
    }

    /// After a rotation, a conjugation or a relinearisation at `level`.
    pub fn switched(self, parameters: &Parameters, level: usize) -> Self {
        Self {
            noise: self.noise + parameters.key_switch_noise(level),
            ..self
        }
    }

    /// After a rescale of a ciphertext at `level`.
    pub fn rescaled(self, parameters: &Parameters, level: usize) -> Self {
        let prime = parameters.prime(level);
        Self {
            message: self.message / prime,
            noise: self.noise / prime + parameters.rescale_noise(),
        }
    }

    /// Whether message and noise fit the modulus of `level`: coefficients are at most the largest slot, and must stay below half of it.
    pub fn fits(self, parameters: &Parameters, level: usize) -> bool {
        (self.message + self.noise).log2() + 1.0 < parameters.log_q(level)
    }
}
