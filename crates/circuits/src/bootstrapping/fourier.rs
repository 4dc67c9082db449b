//! The transforms between slots and coefficients, as products of few sparse matrices: each does some layers of butterflies.
//!
//! Forwards (slots from coefficients, [`ckks::Encoder::slots`] without its bit reversal) a butterfly of half-length `h` takes `(a, b)` to
//! `(a + r b, a - r b)`, backwards to `(a + b, (a - b) conj(r))`. After several layers every entry is a product along one path, so diagonals
//! are computed entry by entry. The order of the coefficients is reversed in their bits, in both directions.
//!
//! `l` layers from half-length `s` on have diagonals at the multiples of `s` from `-(2^l - 1) s` to `(2^l - 1) s`, or, where they fill the
//! vector, at `2^l` multiples modulo its length. Rotations go to the left only, so that a factor needs one key for baby steps and one for
//! giant steps: what it would rotate to the right, it leaves rotated by whole blocks, and the factor beside it takes that back.

use ckks::{Complex64, Parameters};

/// Which way a factor transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Slots from coefficients.
    Forward,
    /// Coefficients from slots.
    Backward,
}

/// One factor.
#[derive(Clone)]
pub(super) struct Factor {
    parameters: Parameters,
    direction: Direction,
    /// Length of the vectors.
    slots: usize,
    /// The smallest half-length of its butterflies, and the step between its diagonals.
    pub(super) stride: usize,
    layers: u32,
    /// Its input comes rotated by this.
    before: i64,
    /// Its output leaves rotated by this.
    after: i64,
    /// What each entry is multiplied by.
    weight: f64,
}

/// The factors in the order of their use. `radices[k]` layers belong to the factor of the `k`-th smallest stride; the product of all
/// factors is `weight` times the transform.
pub(super) fn factors(
    parameters: &Parameters,
    slots: usize,
    radices: &[u32],
    direction: Direction,
    weight: f64,
) -> Vec<Factor> {
    let last = radices.len() - 1;
    let mut stride = 1;
    let mut factors = vec![];
    for (k, &layers) in radices.iter().enumerate() {
        let block = stride << layers;
        let (own, next) = match k == last {
            true => (stride as i64, 0),
            false => (stride as i64, block as i64),
        };
        let first = if k == 0 { 0 } else { own };
        let (before, after) = match direction {
            Direction::Forward => (first, next),
            Direction::Backward => (-next, -first),
        };
        let each = match direction {
            Direction::Forward => 1.0,
            Direction::Backward => 0.5f64.powi(layers as i32),
        };
        factors.push(Factor {
            parameters: parameters.clone(),
            direction,
            slots,
            stride,
            layers,
            before,
            after,
            weight: each * weight.powf(1.0 / radices.len() as f64),
        });
        stride = block;
    }
    if direction == Direction::Backward {
        factors.reverse();
    }
    factors
}

impl Factor {
    /// Diagonals: rotations by `0 .. count` strides.
    pub(super) fn count(&self) -> usize {
        match self.block() == self.slots {
            true => 1 << self.layers,
            false => 2 << self.layers,
        }
    }

    fn block(&self) -> usize {
        self.stride << self.layers
    }

    /// The diagonal of a rotation to the left.
    pub(super) fn diagonal(&self, rotation: i64) -> Vec<Complex64> {
        let at = |j: usize, turn: i64| (j as i64 + turn).rem_euclid(self.slots as i64) as usize;
        (0..self.slots)
            .map(|j| self.entry(at(j, self.after), at(j, rotation + self.before)))
            .collect()
    }

    /// The weight of input `i` in output `j`.
    fn entry(&self, j: usize, i: usize) -> Complex64 {
        let block = self.block();
        if i / block != j / block || i % self.stride != j % self.stride {
            return Complex64::ZERO;
        }
        let encoder = self.parameters.encoder();
        let start = Complex64::from(self.weight);
        (0..self.layers).fold(start, |product, layer| {
            let half = self.stride << layer;
            let roots = encoder.butterfly(half);
            let (low_out, low_in) = (j & half == 0, i & half == 0);
            // Layers of smaller butterflies came before forwards, and come after backwards.
            let (turned, sign, root) = match self.direction {
                Direction::Forward => (!low_in, low_out, roots[j % half]),
                Direction::Backward => (!low_out, low_in, roots[i % half].conj()),
            };
            match (turned, sign) {
                (false, _) => product,
                (true, true) => product * root,
                (true, false) => -product * root,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(factor: &Factor, x: &[Complex64]) -> Vec<Complex64> {
        let mut out = vec![Complex64::ZERO; x.len()];
        for step in 0..factor.count() {
            let rotation = step * factor.stride;
            let diagonal = factor.diagonal(rotation as i64);
            for (j, y) in out.iter_mut().enumerate() {
                *y += diagonal[j] * x[(j + rotation) % x.len()];
            }
        }
        out
    }

    fn bit_reversed(x: &[Complex64]) -> Vec<Complex64> {
        let bits = x.len().ilog2();
        (0..x.len())
            .map(|j| x[j.reverse_bits() >> (usize::BITS - bits)])
            .collect()
    }

    #[test]
    fn factors_are_the_transform_of_the_encoder() {
        let parameters = Parameters::insecure(8, 2).unwrap();
        for (slots, radices) in [
            (128, &[3, 2, 2][..]),
            (128, &[2, 3, 2]),
            (128, &[7]),
            (128, &[4, 3]),
            (16, &[2, 2]),
            (32, &[1, 3, 1]),
        ] {
            let x: Vec<Complex64> = (0..slots)
                .map(|i| Complex64::new((i as f64 * 0.7).sin(), (i as f64 * 1.3).cos()))
                .collect();
            // The polynomial with coefficients x in the subring of the slots.
            let gap = parameters.slots() / slots;
            let mut coefficients = vec![0.0; parameters.degree()];
            for (j, z) in bit_reversed(&x).iter().enumerate() {
                coefficients[j * gap] = z.re;
                coefficients[parameters.slots() + j * gap] = z.im;
            }
            let want = &parameters.encoder().slots(&coefficients)[..slots];
            let all = |direction, start: &[Complex64]| {
                let factors = factors(&parameters, slots, radices, direction, 1.0);
                factors.iter().fold(start.to_vec(), |x, f| applied(f, &x))
            };
            let worst = |a: &[Complex64], b: &[Complex64]| {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| (a - b).norm())
                    .fold(0.0, f64::max)
            };
            assert!(
                worst(&all(Direction::Forward, &x), want) < 1e-11,
                "{radices:?}"
            );
            assert!(
                worst(&all(Direction::Backward, want), &x) < 1e-11,
                "{radices:?}"
            );
        }
    }

    #[test]
    fn other_diagonals_are_zero() {
        let parameters = Parameters::insecure(8, 2).unwrap();
        for direction in [Direction::Forward, Direction::Backward] {
            for factor in factors(&parameters, 128, &[3, 2, 2], direction, 1.0) {
                let covered = |r: usize| {
                    r.is_multiple_of(factor.stride) && r / factor.stride < factor.count()
                };
                for rotation in (0..128).filter(|&r| !covered(r)) {
                    let diagonal = factor.diagonal(rotation as i64);
                    assert!(diagonal.iter().all(|z| *z == Complex64::ZERO));
                }
            }
        }
    }
}
