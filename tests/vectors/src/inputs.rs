use ckks::Complex64;

/// Messages without a sine or cosine, so that they are the same everywhere: multiples of 1/127 between -1 and 1.
pub(crate) fn slots(count: usize, real: bool) -> Vec<Complex64> {
    let value = |i: usize, factor: usize| (i * factor % 255) as f64 / 127.0 - 1.0;
    (0..count)
        .map(|i| Complex64::new(value(i, 37), if real { 0.0 } else { value(i, 101) }))
        .collect()
}
