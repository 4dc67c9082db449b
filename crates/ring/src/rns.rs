//! The residue number system over the ciphertext chain and the special primes: transforms, base conversion, rounded division.

use crate::{
    Automorphism, Basis, Kernel, Modulus, Poly, for_each_limb, kernel::rounded_sum, kernel_for,
    primes::is_prime, with_scratch,
};

/// Why a ring cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RingError {
    /// `N` is no power of two in the supported range.
    #[error("ring degree {0} is no power of two between 32 and 2^17")]
    Degree(usize),
    /// A modulus is no prime of the form `1 mod 2N` in `(2^16, 2^30)`.
    #[error("{0} is no prime 1 mod 2N between 2^16 and 2^30")]
    Modulus(u32),
    /// A prime stands twice in the chain.
    #[error("the prime {0} stands twice in the chain")]
    Repeated(u32),
}

/// `Z[X]/(X^N + 1)` modulo a chain of primes `q_0..q_L` and special primes `p_0..p_(K-1)`.
pub struct Ring {
    degree: usize,
    chain: Vec<Box<dyn Kernel>>,
    special: Vec<Box<dyn Kernel>>,
}

impl Ring {
    /// The ring of degree `degree` over the given primes, with this processor's fastest kernels.
    pub fn new(degree: usize, chain: &[u32], special: &[u32]) -> Result<Self, RingError> {
        if !degree.is_power_of_two() || !(32..=1 << 17).contains(&degree) {
            return Err(RingError::Degree(degree));
        }
        let mut seen = Vec::new();
        let mut kernels = |primes: &[u32]| {
            primes
                .iter()
                .map(|&p| {
                    if seen.contains(&p) {
                        return Err(RingError::Repeated(p));
                    }
                    seen.push(p);
                    let modulus = Modulus::new(p)
                        .filter(|_| is_prime(p))
                        .ok_or(RingError::Modulus(p))?;
                    kernel_for(modulus, degree).ok_or(RingError::Modulus(p))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            degree,
            chain: kernels(chain)?,
            special: kernels(special)?,
        })
    }

    /// `N`.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// All primes.
    pub fn basis(&self) -> Basis {
        Basis {
            q: self.chain.len(),
            p: self.special.len(),
        }
    }

    /// The kernel of the `i`-th limb of a polynomial over `basis`.
    pub fn kernel(&self, basis: Basis, i: usize) -> &dyn Kernel {
        if i < basis.q {
            &*self.chain[i]
        } else {
            &*self.special[i - basis.q]
        }
    }

    /// The modulus of the `i`-th limb of a polynomial over `basis`.
    pub fn modulus(&self, basis: Basis, i: usize) -> Modulus {
        self.kernel(basis, i).modulus()
    }

    /// The moduli of all limbs of a polynomial over `basis`.
    pub fn moduli(&self, basis: Basis) -> impl Iterator<Item = Modulus> {
        (0..basis.limbs()).map(move |i| self.modulus(basis, i))
    }

    /// The zero polynomial over `basis`.
    pub fn zero(&self, basis: Basis) -> Poly {
        Poly::zero(basis, self.degree)
    }

    /// Some polynomial over `basis`, every limb of which the caller overwrites: nothing is zeroed for it.
    pub fn stale(&self, basis: Basis) -> Poly {
        Poly::stale(basis, self.degree)
    }

    /// Coefficients to evaluations.
    pub fn forward(&self, poly: &mut Poly) {
        self.each(poly, |kernel, _, limb| kernel.forward(limb));
    }

    /// Evaluations to coefficients.
    pub fn inverse(&self, poly: &mut Poly) {
        self.each(poly, |kernel, _, limb| kernel.inverse(limb));
    }

    /// `a += b` on the limbs of `a`; `b` may have more limbs of the chain.
    pub fn add_assign(&self, a: &mut Poly, b: &Poly) {
        self.each(a, |kernel, i, limb| kernel.add_assign(limb, b.limb(i)));
    }

    /// `a -= b` on the limbs of `a`; `b` may have more limbs of the chain.
    pub fn sub_assign(&self, a: &mut Poly, b: &Poly) {
        self.each(a, |kernel, i, limb| kernel.sub_assign(limb, b.limb(i)));
    }

    /// `a = -a`.
    pub fn neg_assign(&self, a: &mut Poly) {
        self.each(a, |kernel, _, limb| kernel.neg_assign(limb));
    }

    /// The product of evaluations, on the limbs that both have.
    pub fn mul(&self, a: &Poly, b: &Poly) -> Poly {
        self.dot(&[a], &[b], a.basis())
    }

    /// `sum_i lhs[i] * rhs[i]` of evaluations over `basis`, for at most 16 terms; each term has at least those limbs.
    pub fn dot(&self, lhs: &[&Poly], rhs: &[&Poly], basis: Basis) -> Poly {
        let mut out = self.stale(basis);
        self.each(&mut out, |kernel, i, limb| {
            let left: Vec<&[u32]> = lhs.iter().map(|poly| poly.limb(i)).collect();
            let right: Vec<&[u32]> = rhs.iter().map(|poly| poly.limb(i)).collect();
            kernel.dot(limb, &left, &right);
        });
        out
    }

    /// The evaluations of `a(X^g)` from the evaluations of `a(X)`.
    pub fn apply(&self, automorphism: &Automorphism, a: &Poly) -> Poly {
        let mut out = self.stale(a.basis());
        self.each(&mut out, |_, i, limb| automorphism.permute(a.limb(i), limb));
        out
    }

    /// The residues of signed coefficients below 2^51 in absolute value.
    pub fn reduce_signed(&self, values: &[i64], basis: Basis) -> Poly {
        let mut out = self.stale(basis);
        self.each(&mut out, |kernel, _, limb| {
            kernel.reduce_signed(limb, values)
        });
        out
    }

    /// Divides a polynomial in evaluation form by the product of its last `conversion.from` limbs and rounds to nearest.
    pub fn divide_round(&self, mut poly: Poly, conversion: &BaseConversion) -> Poly {
        let basis = poly.basis();
        let kept = basis.limbs() - conversion.from.len();
        let mut dropped = poly.tail(kept);
        for_each_limb(dropped.data_mut(), self.degree, |i, limb| {
            self.kernel(basis, kept + i).inverse(limb)
        });
        conversion.scale_inputs(self, dropped.data_mut());
        let overflow = conversion.rounded_quotient(&dropped);
        let terms: Vec<&[u32]> = dropped.limbs().chain([&overflow[..]]).collect();
        poly.truncate(kept);
        self.each(&mut poly, |kernel, i, limb| {
            with_scratch(self.degree, |lift| {
                let target = conversion.target(i, 0);
                let mut scalars = target.scalars.clone();
                scalars.push(target.minus_product);
                kernel.combine(lift, &terms, &scalars);
                kernel.forward(lift);
                kernel.sub_scale_assign(limb, lift, target.product_inverse);
            });
        });
        poly
    }

    /// Calls `work(kernel, index, limb)` on every limb.
    pub fn each(
        &self,
        poly: &mut Poly,
        work: impl Fn(&dyn Kernel, usize, &mut [u32]) + Send + Sync,
    ) {
        let basis = poly.basis();
        for_each_limb(poly.data_mut(), self.degree, |i, limb| {
            work(self.kernel(basis, i), i, limb)
        });
    }
}

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
    /// `M^-1 mod t`, zero when `t` divides `M`.
    product_inverse: u32,
}

/// Pieces of one limb that threads share.
const PIECES: usize = 4;

impl BaseConversion {
    /// The conversion from limbs `from` of a polynomial over `basis` to all primes of the ring.
    pub fn new(ring: &Ring, basis: Basis, from: std::ops::Range<usize>) -> Self {
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
                product_inverse: t.inv(product),
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

    /// Turns the source limbs `x` (coefficients) into the `y_i`.
    pub fn scale_inputs(&self, ring: &Ring, limbs: &mut [u32]) {
        for_each_limb(limbs, ring.degree, |i, limb| {
            let kernel = ring.kernel(self.basis, self.first + i);
            kernel.scale_assign(limb, self.inverses[i]);
        });
    }

    /// Writes the coefficients modulo the `i`-th prime of `basis`, up to a small multiple of `M`, from the `y_i`.
    pub fn convert_into(
        &self,
        ring: &Ring,
        basis: Basis,
        i: usize,
        scaled: &[&[u32]],
        out: &mut [u32],
    ) {
        ring.kernel(basis, i)
            .combine(out, scaled, &self.target(i, basis.q).scalars);
    }

    /// Constants of the `i`-th limb over a basis with `q` chain limbs (`q = 0`: all limbs belong to the chain).
    fn target(&self, i: usize, q: usize) -> &Target {
        if q == 0 || i < q {
            &self.chain[i]
        } else {
            &self.special[i - q]
        }
    }

    /// `u = round(sum_i y_i / m_i)`: what makes the conversion exact on the representative in `[-M/2, M/2]`.
    fn rounded_quotient(&self, scaled: &Poly) -> Vec<u32> {
        let mut quotient = vec![0; scaled.degree()];
        for_each_limb(&mut quotient, scaled.degree() / PIECES, |piece, out| {
            let range = piece * out.len()..(piece + 1) * out.len();
            let terms: Vec<(&[u32], f32)> = scaled
                .limbs()
                .zip(&self.from)
                .map(|(limb, modulus)| (&limb[range.clone()], 1.0 / modulus.value() as f32))
                .collect();
            rounded_sum(out, &terms);
        });
        quotient
    }
}
