//! The residue number system over the ciphertext chain and the special primes: transforms, sums, products, rounded division.

use crate::{
    Automorphism, Basis, Kernel, Modulus, Poly, for_each_limb, kernel_for, primes::is_prime,
};

/// Why a ring cannot be made.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
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
    pub(crate) chain: Vec<Box<dyn Kernel>>,
    pub(crate) special: Vec<Box<dyn Kernel>>,
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

    /// The residues of signed coefficients below [`Modulus::signed_bound`] of every prime in absolute value.
    pub fn reduce_signed(&self, values: &[i64], basis: Basis) -> Poly {
        let mut out = self.stale(basis);
        self.each(&mut out, |kernel, _, limb| {
            kernel.reduce_signed(limb, values)
        });
        out
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
