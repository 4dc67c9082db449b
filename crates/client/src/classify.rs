use model::top_k;

/// A class and how likely the model holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Index of the class.
    pub class: usize,
    /// Its name.
    pub label: String,
    /// Softmax probability.
    pub probability: f32,
}

/// The `k` most likely classes, best first.
#[must_use]
pub fn classify(logits: &[f32], labels: &[String], k: usize) -> Vec<Ranked> {
    top_k(logits, k)
        .into_iter()
        .map(|(class, probability)| {
            let label = labels
                .get(class)
                .cloned()
                .unwrap_or_else(|| class.to_string());
            Ranked {
                class,
                label,
                probability,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_best_classes() {
        let labels = ["apple", "bear"].map(str::to_owned);
        let ranked = classify(&[0.0, 1.0, -1.0], &labels, 3);
        let names: Vec<_> = ranked.iter().map(|ranked| ranked.label.as_str()).collect();
        assert_eq!(names, ["bear", "apple", "2"]);
        assert!((ranked.iter().map(|ranked| ranked.probability).sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
