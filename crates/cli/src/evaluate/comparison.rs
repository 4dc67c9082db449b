//! Answers through encryption beside the clear model's, and where the outcome is kept.

use std::{fs, path::Path};

use client::model::top_k;
use protocol::{
    manifest::{Accuracy, Manifest},
    measured::{Encrypted, RECORD, Record},
};

use crate::CliError;

/// Best choices whose probabilities are compared.
const BEST: usize = 10;

/// What the answers so far have in common.
#[derive(Default)]
pub struct Comparison {
    inputs: usize,
    agree: usize,
    difference: f32,
}

impl Comparison {
    /// Adds an answer: the scores through encryption and in the clear.
    pub fn add(&mut self, encrypted: &[f32], clear: &[f32]) {
        let found = top_k(encrypted, usize::MAX);
        let expected = top_k(clear, BEST);
        self.inputs += 1;
        let best = |ranked: &[(usize, f32)]| ranked.first().map(|&(choice, _)| choice);
        self.agree += usize::from(best(&found) == best(&expected));
        for (choice, probability) in expected {
            let same = found.iter().find(|&&(other, _)| other == choice);
            let same = same.map_or(0.0, |&(_, probability)| probability);
            self.difference = self.difference.max((same - probability).abs());
        }
    }

    /// Share of answers with the clear model's best choice.
    pub fn agreement(&self) -> f64 {
        self.agree as f64 / self.inputs as f64
    }

    /// Largest difference of a probability among the clear model's ten best, to two digits: further ones say more of a key than of
    /// a model.
    pub fn difference(&self) -> f64 {
        let exact = f64::from(self.difference);
        format!("{exact:.1e}").parse().unwrap_or(exact)
    }

    /// Leaves the figures beside the weights, for servers to show.
    pub fn record(
        &self,
        folder: &Path,
        manifest: &Manifest,
        accuracy: Option<Accuracy>,
    ) -> Result<(), CliError> {
        let encrypted = Encrypted {
            inputs: self.inputs as u64,
            agree: self.agree as u64,
            largest_difference: self.difference(),
            accuracy,
        };
        let record = Record::of(manifest, encrypted);
        let text = serde_json::to_string_pretty(&record)
            .map_err(|error| CliError::Protocol(error.to_string()))?;
        let path = folder.join(RECORD);
        fs::write(&path, text + "\n").map_err(CliError::write(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_by_their_best_choice_and_its_company() {
        let mut comparison = Comparison::default();
        comparison.add(&[3.0, 1.0, 0.0], &[3.0, 1.0, 0.0]);
        assert_eq!(
            (comparison.agreement(), comparison.difference()),
            (1.0, 0.0)
        );
        // Two of equal weight become 1 : e.
        comparison.add(&[1.0, 0.0], &[0.0, 0.0]);
        // e / (1 + e) - 1/2 = 0.23106
        assert_eq!(comparison.difference(), 0.23);
        comparison.add(&[0.0, 1.0], &[1.0, 0.0]);
        assert_eq!(comparison.agreement(), 2.0 / 3.0);
        comparison.add(&[f32::NAN, f32::NAN], &[1.0, 0.0]);
        assert_eq!(comparison.agreement(), 3.0 / 4.0);
    }
}
