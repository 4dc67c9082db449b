//! The automorphisms `X -> X^g`, `g` odd, of the cyclotomic ring.

use crate::kernel::permute;

/// `5^steps mod 2N`: the Galois element that rotates the slots by `steps` to the left (negative: to the right).
pub fn galois_element_of_rotation(steps: i64, degree: usize) -> u32 {
    let order = degree as i64 / 2;
    let mut exponent = steps.rem_euclid(order);
    let modulus = 2 * degree as u64;
    let (mut result, mut square) = (1u64, 5u64);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    result as u32
}

/// `X -> X^g` as a permutation of evaluations in the order of [`crate::Kernel::forward`].
pub struct Automorphism {
    element: u32,
    /// Where each output slot comes from. An exponent's lowest bits decide the lowest bits of its image, and in bit-reversed order the
    /// lowest bits come first: aligned blocks go to aligned blocks.
    sources: Vec<u32>,
}

impl Automorphism {
    /// The automorphism of an odd `element` below `2 * degree`; `None` otherwise.
    pub fn new(element: u32, degree: usize) -> Option<Self> {
        let order = 2 * degree as u64;
        if element.is_multiple_of(2) || element as u64 >= order {
            return None;
        }
        let shift = usize::BITS - degree.trailing_zeros();
        let sources = (0..degree)
            .map(|j| {
                let exponent = 2 * (j.reverse_bits() >> shift) as u64 + 1;
                let image = exponent * element as u64 % order;
                ((image as usize >> 1).reverse_bits() >> shift) as u32
            })
            .collect();
        Some(Self { element, sources })
    }

    /// `g`.
    pub fn element(&self) -> u32 {
        self.element
    }

    /// The automorphism that undoes it.
    pub fn inverse(&self) -> Option<Self> {
        let degree = self.sources.len();
        // The odd residues modulo 2N form a group of N elements, so that g^(N-1) g = 1.
        let order = 2 * degree as u64;
        let power = |g: u64| (1..degree).fold(1, |power, _| power * g % order);
        Self::new(power(self.element.into()) as u32, degree)
    }

    /// Writes the evaluations of `a(X^g)`.
    pub fn permute(&self, values: &[u32], out: &mut [u32]) {
        permute(out, values, &self.sources);
    }

    /// The coefficients of `a(X^g)` from signed coefficients of `a`; the access pattern depends on `g` alone.
    pub fn permute_coefficients(&self, coefficients: &[i32]) -> Vec<i32> {
        let degree = coefficients.len();
        let mut out = vec![0; degree];
        for (i, &value) in coefficients.iter().enumerate() {
            let image = (i as u64 * self.element as u64 % (2 * degree as u64)) as usize;
            out[image % degree] = if image < degree { value } else { -value };
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Basis, Ring};

    #[test]
    fn evaluations_and_coefficients_agree() {
        let degree = 64;
        let ring = Ring::new(degree, &[1073479681], &[]).unwrap();
        let basis = Basis::of_chain(1);
        let signed: Vec<i32> = (0..degree as i32).map(|i| i * i % 23 - 11).collect();
        let wide = |v: &[i32]| v.iter().map(|&x| x as i64).collect::<Vec<_>>();
        for element in [1, 5, 25, 65, 127] {
            let automorphism = Automorphism::new(element, degree).unwrap();
            let mut evaluations = ring.reduce_signed(&wide(&signed), basis);
            ring.forward(&mut evaluations);
            let mut image = ring.apply(&automorphism, &evaluations);
            ring.inverse(&mut image);
            assert_eq!(
                image,
                ring.reduce_signed(&wide(&automorphism.permute_coefficients(&signed)), basis)
            );
        }
        assert!(Automorphism::new(4, degree).is_none());
        assert!(Automorphism::new(129, degree).is_none());
    }

    #[test]
    fn blocks_go_to_blocks() {
        for (degree, element) in [(32, 5), (64, 127), (1 << 15, 15_625), (1 << 15, 65_535)] {
            let automorphism = Automorphism::new(element, degree).unwrap();
            let values: Vec<u32> = (0..degree as u32)
                .map(|i| i.wrapping_mul(2_654_435_761))
                .collect();
            let mut image = vec![0; degree];
            automorphism.permute(&values, &mut image);
            for (j, &source) in automorphism.sources.iter().enumerate() {
                assert_eq!(
                    image[j], values[source as usize],
                    "{element} at {j} of {degree}"
                );
            }
        }
    }

    #[test]
    fn inverses_undo() {
        for (degree, element) in [(32, 5), (64, 127), (1 << 10, 625)] {
            let automorphism = Automorphism::new(element, degree).unwrap();
            let values: Vec<u32> = (0..degree as u32).collect();
            let (mut image, mut back) = (vec![0; degree], vec![0; degree]);
            automorphism.permute(&values, &mut image);
            assert_ne!(image, values);
            automorphism.inverse().unwrap().permute(&image, &mut back);
            assert_eq!(back, values, "{element} of {degree}");
        }
    }

    #[test]
    fn rotations_compose() {
        let degree = 128;
        let element = |steps| galois_element_of_rotation(steps, degree) as u64;
        assert_eq!(element(3) * element(-3) % 256, 1);
        assert_eq!(element(64), 1);
    }
}
