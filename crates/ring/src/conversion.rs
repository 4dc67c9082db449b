//! Base conversion: from residues modulo some primes to residues modulo others.

use crate::{Basis, Kernel, Modulus, Poly, Ring, for_each_piece, kernel::rounded_sum};
use std::ops::Range;

/// Constants that carry residues modulo `M = m_0 ... m_(k-1)` over to other primes:
/// `x = sum_i y_i M/m_i - u M` with `y_i = x (M/m_i)^-1 mod m_i` (Halevi, Polyakov, Shoup, ePrint 2018/117, section 2).
pub struct BaseConversion {
    from: Vec<Modulus>,
    /// Where the source limbs stand: from the `first` of a polynomial over `basis`.
    basis: Basis,
    first: usize,
    /// `(M/m_i)^-1 mod m_i`.
    inverses: Vec<u32>,
    chain: Vec<Target>,
    special: Vec<Target>,
}

/// The constants of one target prime `t`.
struct Target {
    /// `M/m_i mod t`.
    scalars: Vec<u32>,
    /// `-M mod t`.
    minus_product: u32,
    /// `(-M)^-1 mod t`, zero when `t` divides `M`.
    minus_product_inverse: u32,
}

/// Coefficients converted to all targets before the next ones: so many of every source stay in the second-level cache, where whole limbs
/// would come from memory once for every target.
const PIECE: usize = 2048;

impl BaseConversion {
    /// The conversion from limbs `from` of a polynomial over `basis` to all primes of the ring.
    pub fn new(ring: &Ring, basis: Basis, from: Range<usize>) -> Self {
        let first = from.start;
        let from: Vec<Modulus> = from.map(|i| ring.modulus(basis, i)).collect();
        let without = |i: usize, t: Modulus| {
            from.iter()
                .enumerate()
                .filter(|&(j, _)| j != i)
                .fold(1, |product, (_, m)| t.mul(product, m.value() % t.value()))
        };
        let inverses = from
            .iter()
            .enumerate()
            .map(|(i, &m)| m.inv(without(i, m)))
            .collect();
        #[expect(clippy::borrowed_box, reason = "the closure maps over boxed kernels")]
        let target = |kernel: &Box<dyn Kernel>| {
            let t = kernel.modulus();
            let product = without(usize::MAX, t);
            Target {
                scalars: (0..from.len()).map(|i| without(i, t)).collect(),
                minus_product: t.neg(product),
                minus_product_inverse: t.inv(t.neg(product)),
            }
        };
        Self {
            basis,
            first,
            inverses,
            chain: ring.chain.iter().map(target).collect(),
            special: ring.special.iter().map(target).collect(),
            from,
        }
    }

    /// `y_i`, as coefficients, from the evaluations of the `i`-th source limb.
    pub fn input(&self, ring: &Ring, i: usize, evaluations: &[u32], out: &mut [u32]) {
        let kernel = ring.kernel(self.basis, self.first + i);
        out.copy_from_slice(evaluations);
        kernel.inverse(out);
        kernel.scale_assign(out, self.inverses[i]);
    }

    /// Number of source limbs.
    pub fn sources(&self) -> usize {
        self.from.len()
    }

    /// `(-M)^-1` modulo the `i`-th prime of the chain.
    pub(crate) fn minus_product_inverse(&self, i: usize) -> u32 {
        self.chain[i].minus_product_inverse
    }

    /// Writes the coefficients, up to a small multiple of `M`, from the `y_i`, modulo every prime of `out` but those in `except`.
    pub fn convert(&self, ring: &Ring, scaled: &[&[u32]], out: &mut Poly, except: Range<usize>) {
        let basis = out.basis();
        for_each_piece(out.data_mut(), ring.degree(), PIECE, |range, limbs| {
            let terms: Vec<&[u32]> = scaled.iter().map(|limb| &limb[range.clone()]).collect();
            for (i, limb) in limbs.iter_mut().enumerate() {
                if !except.contains(&i) {
                    let target = self.target(i, basis.q);
                    ring.kernel(basis, i).combine(limb, &terms, &target.scalars);
                }
            }
        });
    }

    /// Writes the coefficients of the representative in `[-M/2, M/2]` from the `y_i`, modulo primes of the chain:
    /// `u = round(sum_i y_i / m_i)` is known from the leading bits.
    pub fn convert_exactly(&self, ring: &Ring, scaled: &[&[u32]], out: &mut Poly) {
        let basis = out.basis();
        for_each_piece(out.data_mut(), ring.degree(), PIECE, |range, limbs| {
            let mut quotient = vec![0; range.len()];
            let mut terms: Vec<&[u32]> = scaled.iter().map(|limb| &limb[range.clone()]).collect();
            let reciprocals = self.from.iter().map(|m| 1.0 / m.value() as f32);
            let fractions: Vec<_> = terms.iter().copied().zip(reciprocals).collect();
            rounded_sum(&mut quotient, &fractions);
            terms.push(&quotient);
            for (i, limb) in limbs.iter_mut().enumerate() {
                let target = &self.chain[i];
                let scalars = [&target.scalars[..], &[target.minus_product]].concat();
                ring.kernel(basis, i).combine(limb, &terms, &scalars);
            }
        });
    }

    /// Constants of the `i`-th limb over a basis with `q` chain limbs.
    fn target(&self, i: usize, q: usize) -> &Target {
        if i < q {
            &self.chain[i]
        } else {
            &self.special[i - q]
        }
    }
}
