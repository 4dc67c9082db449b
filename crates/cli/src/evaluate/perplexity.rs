//! Perplexity by the protocol of `models/training/README.md`: windows step by half of their length, their second half is scored.

use std::{ops::Range, thread};

use client::model::{Embedding, Lm, ModelError};

/// The sum of −ln p over all tokens of a text.
///
/// # Errors
/// Tokens that are not in the vocabulary.
pub fn negative_log_likelihood(
    lm: &Lm,
    embedding: &Embedding,
    ids: &[u32],
) -> Result<f64, ModelError> {
    let (window, pad) = (lm.config.architecture.window, lm.config.pad);
    let windows = ids.len().div_ceil(step(window));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = windows.div_ceil(threads).max(1);
    let part = |range: Range<usize>| -> Result<f64, ModelError> {
        range
            .map(|index| score(lm, embedding, &Window::new(ids, window, pad, index)))
            .sum()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = (0..windows)
            .step_by(share)
            .map(|start| scope.spawn(move || part(start..(start + share).min(windows))))
            .collect();
        parts
            .into_iter()
            .map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .sum()
    })
}

fn step(window: usize) -> usize {
    (window / 2).max(1)
}

/// What the network sees and what it is to predict.
#[derive(Debug, PartialEq, Eq)]
struct Window {
    inputs: Vec<u32>,
    /// For the last positions of `inputs`; fewer at the end of the text.
    targets: Vec<u32>,
}

impl Window {
    /// Window `index` holds the tokens before those that it predicts, and all of these but the last.
    fn new(ids: &[u32], window: usize, pad: u32, index: usize) -> Self {
        let step = step(window);
        let first = index * step;
        let lead = window - step + 1;
        let inputs = (first..first + window)
            .map(|position| {
                let token = position.checked_sub(lead);
                token
                    .and_then(|token| ids.get(token))
                    .copied()
                    .unwrap_or(pad)
            })
            .collect();
        let end = ids.len().min(first + step);
        let targets = ids.get(first..end).unwrap_or_default().to_vec();
        Self { inputs, targets }
    }
}

fn score(lm: &Lm, embedding: &Embedding, window: &Window) -> Result<f64, ModelError> {
    let hidden = lm.hidden_observed(&embedding.rows(&window.inputs)?, |_, _| {});
    let mut normed = hidden.mapv(|value| value as f32);
    for mut row in normed.rows_mut() {
        let vector = row.to_vec();
        row.iter_mut()
            .zip(embedding.normed(&vector))
            .for_each(|(value, normed)| *value = normed as f32);
    }
    // All positions at once: with a product for each, the whole measurement takes eight times as long.
    let logits = normed.dot(&embedding.weight.t()) + &embedding.bias;
    let first = window.inputs.len() - step(window.inputs.len());
    let scored = logits.rows().into_iter().skip(first);
    scored
        .zip(&window.targets)
        .map(|(logits, &target)| {
            let right = logits.get(target as usize);
            let right = right.ok_or(ModelError::Token(target))?;
            Ok(log_sum_exp(logits.iter().copied()) - f64::from(*right))
        })
        .sum()
}

fn log_sum_exp(logits: impl Iterator<Item = f32> + Clone) -> f64 {
    let peak = logits.clone().fold(f32::MIN, f32::max);
    let sum: f64 = logits.map(|logit| f64::from(logit - peak).exp()).sum();
    f64::from(peak) + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The protocol's formulas: window k holds x[32k−33] … x[32k+30] and predicts x[32k] … x[32k+31].
    #[test]
    fn windows_are_those_of_the_protocol() {
        for length in [1, 31, 32, 33, 64, 65, 100] {
            let ids: Vec<u32> = (1..=length).collect();
            let count = ids.len().div_ceil(32);
            for k in 0..count {
                let window = Window::new(&ids, 64, 0, k);
                let at = |j: isize| {
                    let token = usize::try_from(j).ok().and_then(|j| ids.get(j));
                    token.copied().unwrap_or(0)
                };
                let expected: Vec<u32> = (-33..=30).map(|j| at(32 * k as isize + j)).collect();
                assert_eq!(window.inputs, expected);
                let scored: Vec<u32> = ids.iter().copied().skip(32 * k).take(32).collect();
                assert_eq!(window.targets, scored);
            }
        }
    }

    #[test]
    fn every_token_is_scored_by_a_model_that_sees_what_is_before_it() {
        let (lm, embedding) = Lm::small(1, 40, 3).unwrap();
        let ids: Vec<u32> = (0..75).map(|index| index * 7 % 39 + 1).collect();
        let found = negative_log_likelihood(&lm, &embedding, &ids).unwrap();
        let expected: f64 = (0..ids.len())
            .map(|index| {
                // Position 8 … 15 of a window of 16, counted from the token's place among the scored ones.
                let position = 8 + index % 8;
                let inputs: Vec<u32> = (0..16)
                    .map(|p| match (index + p).checked_sub(position + 1) {
                        Some(before) if p <= position => ids[before],
                        _ => 0,
                    })
                    .collect();
                let hidden = lm.hidden_observed(&embedding.rows(&inputs).unwrap(), |_, _| {});
                let vector: Vec<f32> = hidden.row(position).iter().map(|&v| v as f32).collect();
                let logits = embedding.logits(&vector).unwrap();
                let total: f64 = logits.iter().map(|&l| f64::from(l).exp()).sum();
                total.ln() - f64::from(logits[ids[index] as usize])
            })
            .sum();
        assert!(
            (found - expected).abs() < 1e-6 * expected,
            "{found} {expected}"
        );
        assert!((expected / ids.len() as f64).exp() > 2.0);
    }

    #[test]
    fn nothing_and_unknown_tokens() {
        let (lm, embedding) = Lm::small(1, 40, 3).unwrap();
        assert_eq!(negative_log_likelihood(&lm, &embedding, &[]).unwrap(), 0.0);
        assert!(negative_log_likelihood(&lm, &embedding, &[1, 40]).is_err());
    }
}
