/// The `k` best classes, best first, with their softmax probabilities; a tie goes to the lower index.
///
/// Values that are not finite come last with probability 0, so a damaged answer cannot look confident.
pub fn top_k(logits: &[f32], k: usize) -> Vec<(usize, f32)> {
    let peak = logits
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(f32::NEG_INFINITY, f32::max);
    let weight = |v: f32| {
        if v.is_finite() {
            f64::from(v - peak).exp()
        } else {
            0.0
        }
    };
    let total: f64 = logits.iter().map(|&v| weight(v)).sum();
    let key = |v: f32| if v.is_finite() { v } else { f32::NEG_INFINITY };
    let mut ranked: Vec<(usize, f32)> = logits.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| key(b.1).total_cmp(&key(a.1)).then(a.0.cmp(&b.0)));
    ranked.truncate(k);
    ranked
        .into_iter()
        .map(|(class, v)| {
            (
                class,
                if total > 0.0 {
                    (weight(v) / total) as f32
                } else {
                    0.0
                },
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::top_k;

    #[test]
    fn ranks_and_normalises() {
        let best = top_k(&[0.0, 2.0, 1.0, 2.0], 3);
        assert_eq!(best.iter().map(|b| b.0).collect::<Vec<_>>(), [1, 3, 2]);
        let total = 1.0 + 2.0 * 2f32.exp() + 1f32.exp();
        assert!((best[0].1 - 2f32.exp() / total).abs() < 1e-6);
        assert!((best[2].1 - 1f32.exp() / total).abs() < 1e-6);
    }

    #[test]
    fn survives_large_short_and_damaged_input() {
        assert_eq!(top_k(&[1e30, -1e30], 5), [(0, 1.0), (1, 0.0)]);
        assert_eq!(
            top_k(&[f32::NAN, 1.0, f32::INFINITY], 2),
            [(1, 1.0), (0, 0.0)]
        );
        assert_eq!(top_k(&[f32::NAN], 1), [(0, 0.0)]);
        assert!(top_k(&[], 3).is_empty());
    }
}
