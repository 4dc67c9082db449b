//! Polynomials of `Z[X]/(X^N + 1)` as residues, one limb a prime.

use crate::{for_each_limb, pool};

/// Which primes a polynomial is taken modulo: the first `q` of the ciphertext chain, then the first `p` special primes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Limbs of the ciphertext chain `q_0, q_1, ...`.
    pub q: usize,
    /// Limbs of the special primes `p_0, p_1, ...`.
    pub p: usize,
}

impl Basis {
    /// The first `q` primes of the chain alone.
    pub const fn of_chain(q: usize) -> Self {
        Self { q, p: 0 }
    }

    /// Number of limbs.
    pub const fn limbs(self) -> usize {
        self.q + self.p
    }
}

/// A polynomial in RNS form. Whether the limbs hold coefficients or evaluations is for the holder to know.
#[derive(Debug)]
pub struct Poly {
    basis: Basis,
    degree: usize,
    /// The limbs, and whatever the buffer's last user left behind them.
    buffer: Vec<u32>,
}

impl Poly {
    /// The zero polynomial.
    pub fn zero(basis: Basis, degree: usize) -> Self {
        let mut poly = Self::stale(basis, degree);
        poly.data_mut().fill(0);
        poly
    }

    /// Some polynomial, every limb of which the caller overwrites.
    pub(crate) fn stale(basis: Basis, degree: usize) -> Self {
        Self {
            basis,
            degree,
            buffer: pool::take(basis.limbs() * degree),
        }
    }

    /// The primes it is taken modulo.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// `N`.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// The residues modulo the `i`-th prime of the basis.
    pub fn limb(&self, i: usize) -> &[u32] {
        &self.data()[i * self.degree..(i + 1) * self.degree]
    }

    /// The residues modulo the `i`-th prime of the basis, to change.
    pub fn limb_mut(&mut self, i: usize) -> &mut [u32] {
        let degree = self.degree;
        &mut self.data_mut()[i * degree..(i + 1) * degree]
    }

    /// The limbs in order.
    pub fn limbs(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.data().chunks_exact(self.degree)
    }

    fn data(&self) -> &[u32] {
        &self.buffer[..self.basis.limbs() * self.degree]
    }

    /// All residues, limb after limb, to change.
    pub fn data_mut(&mut self) -> &mut [u32] {
        &mut self.buffer[..self.basis.limbs() * self.degree]
    }

    /// A copy of the first `limbs`, which belong to the chain: the value modulo a smaller modulus.
    pub fn truncated(&self, limbs: usize) -> Self {
        assert!(limbs <= self.basis.q);
        self.copied(Basis::of_chain(limbs))
    }

    /// The limbs of `basis`, which `self` begins with.
    fn copied(&self, basis: Basis) -> Self {
        let mut copy = Self::stale(basis, self.degree);
        for_each_limb(copy.data_mut(), self.degree, |i, limb| {
            limb.copy_from_slice(self.limb(i))
        });
        copy
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.buffer.capacity() * size_of::<u32>()
    }
}

impl PartialEq for Poly {
    fn eq(&self, other: &Self) -> bool {
        self.basis == other.basis && self.data() == other.data()
    }
}

impl Eq for Poly {}

impl Clone for Poly {
    fn clone(&self) -> Self {
        self.copied(self.basis)
    }
}

/// Whoever holds a secret wipes it first: the buffer is used again.
impl Drop for Poly {
    fn drop(&mut self) {
        pool::give(std::mem::take(&mut self.buffer));
    }
}
