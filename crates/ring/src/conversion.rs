//! Base conversion: from residues modulo some primes to residues modulo others.

use crate::{Basis, Factor, Kernel, Modulus, Poly, Ring, for_each_piece, kernel::rounded_sum};
use std::ops::Range;

/// Coefficients converted to all targets before the next ones: so many of every source stay in the first-level cache, or not far from it,
/// where whole limbs would come from memory once for every target.
pub(crate) const PIECE: usize = 1024;

/// Some primes `m_0 ... m_(k-1)` with product `M`, and what follows from them alone.
pub(crate) struct Sources {
    moduli: Vec<Modulus>,
    /// Where their limbs stand: from the `first` of a polynomial over `basis`.
    basis: Basis,
    first: usize,
    /// `(M/m_i)^-1 mod m_i`.
    inverses: Vec<Factor>,
}

impl Sources {
    pub(crate) fn new(ring: &Ring, basis: Basis, from: Range<usize>) -> Self {
        let first = from.start;
        let moduli: Vec<Modulus> = from.map(|i| ring.modulus(basis, i)).collect();
        let mut sources = Self {
            inverses: Vec::new(),
            moduli,
            basis,
            first,
        };
        let inverse = |(i, &m): (usize, &Modulus)| m.factor(m.inv(sources.product(m, Some(i))));
        sources.inverses = sources.moduli.iter().enumerate().map(inverse).collect();
        sources
    }

    pub(crate) fn moduli(&self) -> &[Modulus] {
        &self.moduli
    }

    /// `M mod t`, or `M/m_i mod t`.
    pub(crate) fn product(&self, t: Modulus, without: Option<usize>) -> u32 {
        self.moduli
            .iter()
            .enumerate()
            .filter(|&(j, _)| Some(j) != without)
            .fold(1, |product, (_, m)| t.mul(product, m.value() % t.value()))
    }

    /// Makes `y_i = x (M/m_i)^-1 mod m_i`, as coefficients, of the evaluations of the `i`-th limb.
    pub(crate) fn input(&self, ring: &Ring, i: usize, limb: &mut [u32]) {
        let kernel = ring.kernel(self.basis, self.first + i);
        kernel.inverse_scaled(limb, self.inverses[i]);
    }

    /// The coefficients `range` of the `y_i`, and `u = round(sum_i y_i / m_i)` as the last: known from the leading bits.
    pub(crate) fn with_quotients<T>(
        &self,
        scaled: &[&[u32]],
        range: Range<usize>,
        work: impl FnOnce(&[&[u32]]) -> T,
    ) -> T {
        let mut quotients = vec![0; range.len()];
        let mut terms: Vec<&[u32]> = scaled.iter().map(|limb| &limb[range.clone()]).collect();
        let reciprocals = self.moduli.iter().map(|m| 1.0 / m.value() as f32);
        let fractions: Vec<_> = terms.iter().copied().zip(reciprocals).collect();
        rounded_sum(&mut quotients, &fractions);
        terms.push(&quotients);
        work(&terms)
    }
}

/// Constants that carry residues modulo `M` over to other primes:
/// `x = sum_i y_i M/m_i - u M` with `y_i = x (M/m_i)^-1 mod m_i` (Halevi, Polyakov, Shoup, ePrint 2018/117, section 2).
pub struct BaseConversion {
    from: Sources,
    /// `M/m_i mod t` and `-M mod t` for every prime `t` of the chain, and for the special ones.
    chain: Vec<Vec<Factor>>,
    special: Vec<Vec<Factor>>,
}

impl BaseConversion {
    /// The conversion from limbs `from` of a polynomial over `basis` to all primes of the ring.
    pub fn new(ring: &Ring, basis: Basis, from: Range<usize>) -> Self {
        let from = Sources::new(ring, basis, from);
        #[expect(clippy::borrowed_box, reason = "the closure maps over boxed kernels")]
        let target = |kernel: &Box<dyn Kernel>| {
            let t = kernel.modulus();
            let scalars = (0..from.moduli().len()).map(|i| from.product(t, Some(i)));
            let last = t.neg(from.product(t, None));
            scalars.chain([last]).map(|c| t.factor(c)).collect()
        };
        Self {
            chain: ring.chain.iter().map(target).collect(),
            special: ring.special.iter().map(target).collect(),
            from,
        }
    }

    /// Makes `y_i`, as coefficients, of the evaluations of the `i`-th source limb.
    pub fn input(&self, ring: &Ring, i: usize, limb: &mut [u32]) {
        self.from.input(ring, i, limb);
    }

    /// Writes the coefficients, up to a small multiple of `M`, from the `y_i`, modulo every prime of `out` but those in `except`.
    pub fn convert(&self, ring: &Ring, scaled: &[&[u32]], out: &mut Poly, except: Range<usize>) {
        let basis = out.basis();
        for_each_piece(out.data_mut(), ring.degree(), PIECE, |range, limbs| {
            let terms: Vec<&[u32]> = scaled.iter().map(|limb| &limb[range.clone()]).collect();
            for (i, limb) in limbs.iter_mut().enumerate() {
                if !except.contains(&i) {
                    let factors = &self.factors(i, basis.q)[..terms.len()];
                    ring.kernel(basis, i).combine(limb, &terms, factors);
                }
            }
        });
    }

    /// Writes the coefficients of the representative in `[-M/2, M/2]` from the `y_i`.
    pub fn convert_exactly(&self, ring: &Ring, scaled: &[&[u32]], out: &mut Poly) {
        let basis = out.basis();
        for_each_piece(out.data_mut(), ring.degree(), PIECE, |range, limbs| {
            self.from.with_quotients(scaled, range, |terms| {
                for (i, limb) in limbs.iter_mut().enumerate() {
                    let factors = self.factors(i, basis.q);
                    ring.kernel(basis, i).combine(limb, terms, factors);
                }
            });
        });
    }

    /// Constants of the `i`-th limb over a basis with `q` chain limbs.
    fn factors(&self, i: usize, q: usize) -> &[Factor] {
        if i < q {
            &self.chain[i]
        } else {
            &self.special[i - q]
        }
    }
}
