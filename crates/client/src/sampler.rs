//! The choice of the next token.
//!
//! Equal logits, settings, seed and step give the same token on every machine: only additions, multiplications, divisions and
//! comparisons of IEEE 754 decide, and BLAKE3. The library's `exp` may differ in the last bit from one platform to the next,
//! so it has no part in it.

use std::f64::consts::LOG2_E;

use model::top_k;

use crate::ClientError;

/// Chooses tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    temperature: f64,
    top_k: usize,
    seed: u64,
    step: u64,
}

/// A token that might come next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alternative {
    /// The token.
    pub token: u32,
    /// How likely the model holds it.
    pub probability: f32,
}

impl Sampler {
    /// With temperature 0 the likeliest token is chosen, otherwise one among the `top_k` likeliest (all when 0) with the
    /// probabilities of softmax(logits / temperature).
    ///
    /// # Errors
    /// [`ClientError::Temperature`] when it is negative or no number.
    pub fn new(temperature: f64, top_k: usize, seed: u64) -> Result<Self, ClientError> {
        if !temperature.is_finite() || temperature < 0.0 {
            return Err(ClientError::Temperature(temperature));
        }
        Ok(Self {
            temperature,
            top_k,
            seed,
            step: 0,
        })
    }

    /// The same sampler before its `step`-th choice, counted from 0.
    #[must_use]
    pub fn at(self, step: u64) -> Self {
        Self { step, ..self }
    }

    /// Chooses a token and goes one step on; `None` when no logit is a finite number.
    pub fn pick(&mut self, logits: &[f32]) -> Option<u32> {
        let step = self.step;
        self.step += 1;
        let count = match (self.temperature > 0.0, self.top_k) {
            (false, _) => 1,
            (true, 0) => logits.len(),
            (true, top_k) => top_k,
        };
        let mut candidates: Vec<(usize, f64)> = top_k(logits, count)
            .into_iter()
            .filter_map(|(index, _)| Some((index, f64::from(*logits.get(index)?))))
            .filter(|(_, logit)| logit.is_finite())
            .collect();
        let &(best, peak) = candidates.first()?;
        if candidates.len() == 1 {
            return u32::try_from(best).ok();
        }
        // In the order of the vocabulary a small change of the logits moves the borders between tokens a little; in the order
        // of the ranking two tokens that change places would swap their shares.
        candidates.sort_unstable_by_key(|&(index, _)| index);
        for candidate in &mut candidates {
            candidate.1 = exp((candidate.1 - peak) / self.temperature);
        }
        let total: f64 = candidates.iter().map(|&(_, weight)| weight).sum();
        let mut rest = uniform(self.seed, step) * total;
        let chosen = candidates
            .iter()
            .find(|&&(_, weight)| {
                rest -= weight;
                rest < 0.0
            })
            .map_or(best, |&(index, _)| index);
        u32::try_from(chosen).ok()
    }
}

/// The `k` likeliest tokens with softmax(logits / temperature), best first. At temperature 0, where one token has it all, the
/// probabilities are those of temperature 1.
#[must_use]
pub fn alternatives(logits: &[f32], k: usize, temperature: f64) -> Vec<Alternative> {
    let divisor = if temperature > 0.0 { temperature } else { 1.0 };
    let scaled: Vec<f32> = logits
        .iter()
        .map(|&logit| (f64::from(logit) / divisor) as f32)
        .collect();
    top_k(&scaled, k)
        .into_iter()
        .filter_map(|(index, probability)| {
            let token = u32::try_from(index).ok()?;
            Some(Alternative { token, probability })
        })
        .collect()
}

/// In \[0, 1), 53 bits.
fn uniform(seed: u64, step: u64) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"cipherformer sampler 1");
    hasher.update(&seed.to_le_bytes());
    hasher.update(&step.to_le_bytes());
    let mut word = [0; 8];
    hasher.finalize_xof().fill(&mut word);
    (u64::from_le_bytes(word) >> 11) as f64 * (-53f64).exp2()
}

/// e^x for x ≤ 0: 2^n e^r with |r| ≤ ln 2 / 2 and the series of e^r, whose rest is below 2^-57.
fn exp(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 0.693_145_751_953_125;
    const LN_2_LOW: f64 = 1.428_606_820_309_417_2e-6;
    if x < -700.0 {
        return 0.0;
    }
    let n = (x * LOG2_E).round_ties_even();
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = (1..=14)
        .rev()
        .fold(1.0, |sum, k| 1.0 + r * sum / f64::from(k));
    series * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits() -> Vec<f32> {
        (0u32..512)
            .map(|token| (token.wrapping_mul(2_654_435_761) >> 20) as f32 / 512.0)
            .collect()
    }

    fn pick(temperature: f64, top_k: usize, seed: u64, step: u64, logits: &[f32]) -> u32 {
        let sampler = Sampler::new(temperature, top_k, seed).unwrap();
        sampler.at(step).pick(logits).unwrap()
    }

    #[test]
    fn the_exponential_is_exact_to_the_last_bits() {
        for step in 0..=70_000 {
            let x = -f64::from(step) / 100.0;
            let (found, expected) = (exp(x), x.exp());
            assert!((found - expected).abs() <= 4e-16 * expected, "{x}");
        }
        assert_eq!(
            (exp(0.0), exp(-1e9), exp(f64::NEG_INFINITY)),
            (1.0, 0.0, 0.0)
        );
    }

    // Fixed by what this code chose when it was written: other machines, and other versions, must choose the same.
    #[test]
    fn choices_are_the_same_everywhere() {
        let logits = logits();
        let chosen = |temperature, top_k| -> Vec<u32> {
            let mut sampler = Sampler::new(temperature, top_k, 42).unwrap();
            (0..8).map(|_| sampler.pick(&logits).unwrap()).collect()
        };
        assert_eq!(chosen(1.0, 0), [377, 346, 487, 66, 377, 388, 42, 419]);
        assert_eq!(chosen(0.25, 0), [377, 343, 487, 71, 377, 377, 55, 419]);
        assert_eq!(chosen(3.0, 5), [377, 377, 432, 55, 377, 377, 55, 432]);
    }

    #[test]
    fn temperature_zero_and_a_single_candidate_choose_the_best() {
        let logits = logits();
        let best = top_k(&logits, 1)[0].0 as u32;
        for seed in 0..50 {
            assert_eq!(pick(0.0, 0, seed, seed, &logits), best);
            assert_eq!(pick(5.0, 1, seed, seed, &logits), best);
            assert_eq!(pick(1e-9, 0, seed, seed, &logits), best);
        }
        assert_eq!(
            pick(0.0, 3, 1, 1, &[1.0, 1.0, 1.0]),
            0,
            "ties go to the lower token"
        );
    }

    #[test]
    fn only_the_likeliest_are_chosen() {
        let logits = logits();
        let best: Vec<_> = top_k(&logits, 7).iter().map(|best| best.0 as u32).collect();
        let mut seen: Vec<_> = (0..500)
            .map(|seed| pick(50.0, 7, seed, 0, &logits))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 7, "a high temperature reaches all seven");
        assert!(seen.iter().all(|token| best.contains(token)));
    }

    #[test]
    fn frequencies_are_the_softmax() {
        let logits = [0.0, 2.0, -1.0, 1.0, f32::NAN, 0.5];
        for temperature in [0.5, 1.0, 2.0] {
            let count = 20_000;
            let mut seen = [0u32; 6];
            for step in 0..count {
                seen[pick(temperature, 0, 7, step, &logits) as usize] += 1;
            }
            assert_eq!(seen[4], 0, "what is no number is never chosen");
            for alternative in alternatives(&logits, 6, temperature) {
                let expected = f64::from(alternative.probability);
                let found = f64::from(seen[alternative.token as usize]) / count as f64;
                // Five standard deviations.
                let bound = 5.0 * (expected * (1.0 - expected) / count as f64).sqrt() + 1e-6;
                assert!(
                    (found - expected).abs() <= bound,
                    "{temperature} {alternative:?} {found}"
                );
            }
        }
    }

    #[test]
    fn seeds_and_steps_matter_and_small_noise_does_not() {
        // Many ties, so that noise reorders the ranking thoroughly.
        let logits: Vec<_> = logits().iter().map(|logit| logit.round()).collect();
        let noisy: Vec<_> = logits
            .iter()
            .enumerate()
            .map(|(index, logit)| logit + if index % 2 == 0 { 1e-5 } else { -1e-5 })
            .collect();
        let choices = |seed| -> Vec<_> {
            (0..200)
                .map(|step| pick(1.0, 0, seed, step, &logits))
                .collect()
        };
        assert_ne!(choices(1), choices(2));
        let one = choices(1);
        assert!(one.iter().any(|&token| token != one[0]));
        let changed = (0..200)
            .filter(|&step| pick(1.0, 0, 1, step, &noisy) != one[step as usize])
            .count();
        assert!(changed <= 2, "{changed} of 200");
    }

    #[test]
    fn settings_and_logits_that_make_no_sense() {
        for temperature in [f64::NAN, f64::INFINITY, -0.1] {
            assert!(Sampler::new(temperature, 0, 0).is_err());
        }
        let mut sampler = Sampler::new(1.0, 0, 0).unwrap();
        assert_eq!(sampler.pick(&[]), None);
        assert_eq!(sampler.pick(&[f32::NAN, f32::INFINITY]), None);
        assert_eq!(sampler.pick(&[f32::NAN, 3.0, f32::NEG_INFINITY]), Some(1));
    }

    #[test]
    fn alternatives_follow_the_temperature() {
        let logits = [0.0, 2.0, 1.0];
        let of = |temperature| alternatives(&logits, 2, temperature);
        assert_eq!(
            of(1.0).iter().map(|best| best.token).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(of(0.0), of(1.0));
        assert!(of(0.5)[0].probability > of(1.0)[0].probability);
        assert!(of(2.0)[0].probability < of(1.0)[0].probability);
        let ratio = of(0.5)[0].probability / of(0.5)[1].probability;
        assert!((ratio - 2f32.exp()).abs() < 1e-3, "{ratio}");
    }
}
