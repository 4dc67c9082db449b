//! Encoded vectors, kept as integer coefficients so that one object serves every level.

use crate::{Complex64, Parameters};
use ring::Kernel;
use std::sync::OnceLock;

/// A polynomial with integer coefficients that stands for `slots * scale`. Public: its form depends on its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Plaintext {
    coefficients: Coefficients,
    pub(crate) scale: f64,
    kept: Kept,
}

/// Evaluations modulo the primes of the chain that it was used at; none where they would take much memory.
#[derive(Clone, Debug, Default)]
struct Kept(Vec<OnceLock<Box<[u32]>>>);

/// What follows from the coefficients makes no difference.
impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The smallest gap between coefficients with which evaluations are kept: they come in runs of so many equal ones, and one number a run
/// and prime is some four bytes a coefficient of the ring.
const KEPT_GAP: usize = 32;

/// Fewest coefficients stored: kernels work on vectors.
const SHORTEST: usize = 32;

/// Coefficients converted at a time: they stay in the first-level cache.
const BLOCK: usize = 512;

/// Every `gap`-th coefficient; the others are zero. Slots that repeat with period `n` leave a gap of `N/2n`.
#[derive(Clone, Debug, PartialEq)]
struct Coefficients {
    gap: usize,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Narrow { values: Vec<i32>, largest: u32 },
    Wide(Vec<i64>),
}

impl Plaintext {
    /// Encodes slots at a scale; `None` when a coefficient is not finite or not below [`ring::Modulus::signed_bound`] of
    /// every prime of the chain: 2^62 for primes above 2^28.
    ///
    /// # Panics
    /// When the number of slots is no power of two up to `N/2`.
    pub fn encode(parameters: &Parameters, slots: &[Complex64], scale: f64) -> Option<Self> {
        let coefficients = Coefficients::new(encode(parameters, slots, scale)?);
        let primes = parameters.max_level() + 1;
        let kept = (coefficients.gap >= KEPT_GAP).then(|| vec![OnceLock::new(); primes]);
        Some(Self {
            coefficients,
            scale,
            kept: Kept(kept.unwrap_or_default()),
        })
    }

    /// The scale it was encoded at.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Bytes on the heap once it was used at every prime of the chain.
    pub fn heap_bytes(&self) -> usize {
        let (count, bytes) = match &self.coefficients.values {
            Values::Narrow { values, .. } => (values.len(), size_of_val(&values[..])),
            Values::Wide(values) => (values.len(), size_of_val(&values[..])),
        };
        // One evaluation a coefficient, prime by prime.
        let prime = size_of::<OnceLock<Box<[u32]>>>() + size_of::<u32>() * count;
        bytes + self.kept.0.len() * prime
    }

    /// Writes the evaluations modulo the `i`-th prime of the chain.
    pub(crate) fn evaluate(&self, kernel: &dyn Kernel, i: usize, out: &mut [u32]) {
        let transform = |out: &mut [u32]| {
            self.reduce(kernel, out);
            kernel.forward(out);
        };
        let Some(kept) = self.kept.0.get(i) else {
            return transform(out);
        };
        // A polynomial in X^gap has one value at the roots whose gap-th powers agree: in a kernel's order they follow each other.
        let gap = self.coefficients.gap;
        let runs = kept.get_or_init(|| {
            transform(out);
            out.iter().copied().step_by(gap).collect()
        });
        for (run, &value) in out.chunks_exact_mut(gap).zip(runs) {
            run.fill(value);
        }
    }

    /// Writes the residues of the coefficients.
    fn reduce(&self, kernel: &dyn Kernel, out: &mut [u32]) {
        let gap = self.coefficients.gap;
        if gap == 1 {
            return self.coefficients.values.reduce(kernel, out);
        }
        let mut residues = vec![0; out.len() / gap];
        self.coefficients.values.reduce(kernel, &mut residues);
        out.fill(0);
        for (group, residue) in out.chunks_exact_mut(gap).zip(residues) {
            group[0] = residue;
        }
    }
}

/// The coefficients of `slots * scale`, in a time that depends on their size alone where they fit: messages of clients pass here.
pub(crate) fn encode(parameters: &Parameters, slots: &[Complex64], scale: f64) -> Option<Vec<i64>> {
    let bound = parameters.coefficient_bound() as f64;
    let coefficients = parameters.encoder().coefficients(slots).into_iter();
    coefficients
        .map(|c| {
            let scaled = (c * scale).round();
            (scaled.abs() < bound).then_some(scaled as i64)
        })
        .collect()
}

impl Coefficients {
    fn new(all: Vec<i64>) -> Self {
        let widest = (all.len() / SHORTEST).max(1);
        let places = all.iter().enumerate().filter(|&(_, &c)| c != 0);
        // The largest power of two that divides all their places.
        let gap = 1
            << places
                .fold(widest, |bits, (i, _)| bits | i)
                .trailing_zeros();
        let kept = all.iter().copied().step_by(gap);
        let narrow: Option<Vec<i32>> = kept.clone().map(|c| c.try_into().ok()).collect();
        let values = match narrow {
            Some(values) => Values::Narrow {
                largest: values.iter().map(|c| c.unsigned_abs()).max().unwrap_or(0),
                values,
            },
            None if gap == 1 => Values::Wide(all),
            None => Values::Wide(kept.collect()),
        };
        Self { gap, values }
    }
}

impl Values {
    fn reduce(&self, kernel: &dyn Kernel, out: &mut [u32]) {
        match self {
            Self::Wide(values) => kernel.reduce_signed(out, values),
            Self::Narrow { values, largest } if *largest < kernel.modulus().value() => {
                kernel.reduce_small(out, values);
            }
            Self::Narrow { values, .. } => {
                let mut wide = [0i64; BLOCK];
                for (out, values) in out.chunks_mut(BLOCK).zip(values.chunks(BLOCK)) {
                    let wide = &mut wide[..values.len()];
                    for (wide, &value) in wide.iter_mut().zip(values) {
                        *wide = value.into();
                    }
                    kernel.reduce_signed(out, wide);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::{Basis, Poly};

    fn parameters() -> Parameters {
        Parameters::insecure(10, 9).unwrap()
    }

    fn slots(count: usize, large: f64) -> Vec<Complex64> {
        let value = |i: usize| Complex64::new((i % 7) as f64 - 3.0, (i % 5) as f64);
        let mut slots: Vec<_> = (0..count).map(value).collect();
        slots[1] = Complex64::from(large);
        slots
    }

    /// What was encoded before it was stored, against what is read from the store.
    #[track_caller]
    fn stored(slots: &[Complex64], scale: f64, gap: usize, bytes: usize) {
        let parameters = parameters();
        let ring = parameters.ring();
        let plain = Plaintext::encode(&parameters, slots, scale).unwrap();
        assert_eq!((plain.coefficients.gap, plain.heap_bytes()), (gap, bytes));
        let expected = encode(&parameters, slots, scale).unwrap();
        let basis = Basis::of_chain(2);
        let mut found: Poly = ring.stale(basis);
        ring.each(&mut found, |kernel, _, limb| plain.reduce(kernel, limb));
        assert_eq!(found, ring.reduce_signed(&expected, basis));
    }

    #[test]
    fn small_numbers_take_four_bytes_and_large_ones_eight() {
        stored(&slots(512, 1.0), 2f64.powi(20), 1, 4 * 1024);
        // Below 2^31 and not below the primes.
        stored(&slots(512, 8e5), 2f64.powi(20), 1, 4 * 1024);
        stored(&slots(512, 1e9), 2f64.powi(20), 1, 8 * 1024);
    }

    #[test]
    fn evaluations_are_those_of_the_coefficients() {
        let parameters = Parameters::insecure(13, 3).unwrap();
        let (ring, basis) = (parameters.ring(), Basis::of_chain(2));
        for (period, kept) in [(16, true), (64, true), (128, true), (256, false)] {
            let plain = Plaintext::encode(&parameters, &slots(period, 3.0), 1e9).unwrap();
            assert_eq!(!plain.kept.0.is_empty(), kept, "{period}");
            let mut expected: Poly = ring.stale(basis);
            ring.each(&mut expected, |kernel, _, limb| plain.reduce(kernel, limb));
            ring.forward(&mut expected);
            for _ in 0..2 {
                let mut found: Poly = ring.stale(basis);
                ring.each(&mut found, |kernel, i, limb| {
                    plain.evaluate(kernel, i, limb)
                });
                assert_eq!(found, expected);
            }
            let made = plain.kept.0.iter().take(2).filter_map(OnceLock::get);
            let bytes: usize = made.map(|runs| size_of_val(&runs[..])).sum();
            let coefficients = 2 * period;
            assert_eq!(bytes, if kept { 2 * 4 * coefficients } else { 0 });
        }
    }

    #[test]
    fn slots_that_repeat_leave_out_what_is_zero() {
        let period = slots(32, 1.0);
        let repeated: Vec<_> = period.iter().cycle().take(512).copied().collect();
        stored(&repeated, 2f64.powi(20), 16, 4 * 64);
        stored(&period, 2f64.powi(20), 16, 4 * 64);
        let large: Vec<_> = slots(32, 1e9).into_iter().cycle().take(512).collect();
        stored(&large, 2f64.powi(20), 16, 8 * 64);
        // With the evaluations at nine primes.
        let kept = 9 * (size_of::<OnceLock<Box<[u32]>>>() + 4 * 32);
        stored(&[Complex64::ONE; 512], 2f64.powi(20), 32, 4 * 32 + kept);
        stored(&[Complex64::ZERO; 512], 2f64.powi(20), 32, 4 * 32 + kept);
    }
}
