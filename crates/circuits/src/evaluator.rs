//! The operations that circuits are written in.

use crate::CircuitError;
use ckks::Complex64;

/// An interpretation of circuits. A circuit is a function generic over this trait; its three readings are
/// [`crate::Encrypted`] (ciphertexts), [`crate::Cleartext`] (slot vectors) and [`crate::Planner`] (levels, scales, keys, cost).
pub trait Evaluator {
    /// An encrypted vector, or what stands for it.
    type Ciphertext: Clone;
    /// An encoded vector, or what stands for it.
    type Plaintext;

    /// Names the layer that the following operations belong to.
    fn layer(&self, name: &str);

    /// Number of slots.
    fn slots(&self) -> usize;

    /// The prime that a rescale at `level` divides by.
    fn prime(&self, level: usize) -> f64;

    /// The scale that linear layers return to.
    fn scale(&self) -> f64;

    /// The level of a ciphertext.
    fn level_of(&self, a: &Self::Ciphertext) -> usize;

    /// The scale of a ciphertext.
    fn scale_of(&self, a: &Self::Ciphertext) -> f64;

    /// Encodes a vector at a scale.
    fn encode(&self, slots: &[Complex64], scale: f64) -> Result<Self::Plaintext, CircuitError>;

    /// `a + b`, at the lower level.
    fn add(
        &self,
        a: &Self::Ciphertext,
        b: &Self::Ciphertext,
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// `a - b`, at the lower level.
    fn sub(
        &self,
        a: &Self::Ciphertext,
        b: &Self::Ciphertext,
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// `a + p`; scales must agree.
    fn add_plain(
        &self,
        a: &Self::Ciphertext,
        p: &Self::Plaintext,
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// `i a`.
    fn mul_i(&self, a: &Self::Ciphertext) -> Result<Self::Ciphertext, CircuitError>;

    /// `factor a` for a positive factor, by dividing the scale: free.
    fn scaled(&self, a: &Self::Ciphertext, factor: f64) -> Self::Ciphertext;

    /// The same message at a lower level, so that what follows is cheaper.
    fn drop_to(&self, a: &Self::Ciphertext, level: usize)
    -> Result<Self::Ciphertext, CircuitError>;

    /// `sum_k a_k b_k`, not relinearised, at most eight terms.
    fn dot(
        &self,
        a: &[&Self::Ciphertext],
        b: &[&Self::Ciphertext],
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// `sum_k p_k a_k`, at most sixteen terms.
    fn dot_plain(
        &self,
        a: &[&Self::Ciphertext],
        p: &[&Self::Plaintext],
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// Two parts from the three of a product.
    fn relinearize(&self, a: &Self::Ciphertext) -> Result<Self::Ciphertext, CircuitError>;

    /// `sum_k factor_k a_k + constant`, every slot alike, at `scale`: at most sixteen terms of any scales, no level.
    fn combine(
        &self,
        terms: &[(f64, &Self::Ciphertext)],
        constant: f64,
        scale: f64,
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// So many levels less, the scale divided by their primes.
    fn rescale_by(
        &self,
        a: &Self::Ciphertext,
        primes: usize,
    ) -> Result<Self::Ciphertext, CircuitError>;

    /// One level less, the scale divided by the prime.
    fn rescale(&self, a: &Self::Ciphertext) -> Result<Self::Ciphertext, CircuitError> {
        self.rescale_by(a, 1)
    }

    /// From the base level to the highest, by way of the ephemeral secret: to the coefficients of the encoded message come multiples of the
    /// base modulus, up to half of the ephemeral secret's weight (and a half).
    fn mod_raise(&self, a: &Self::Ciphertext) -> Result<Self::Ciphertext, CircuitError>;

    /// A place where a bootstrapping may stand: what lives there is all that later operations read, each ciphertext with a power of two that bounds the
    /// real and imaginary parts of its slots. It comes back as it is, or at a high level, as the reading's [`crate::Placement`] says; the circuit names
    /// the layer that follows.
    fn refresh_point(
        &self,
        live: Vec<(Self::Ciphertext, f64)>,
    ) -> Result<Vec<Self::Ciphertext>, CircuitError> {
        Ok(live.into_iter().map(|(x, _)| x).collect())
    }

    /// [`Evaluator::refresh_point`] where one ciphertext lives.
    fn refresh_one(
        &self,
        x: Self::Ciphertext,
        bound: f64,
    ) -> Result<Self::Ciphertext, CircuitError> {
        let x = self.refresh_point(vec![(x, bound)])?.pop();
        x.ok_or(CircuitError::NoTerms("refresh"))
    }

    /// Slots to the left by `steps`, one key switch.
    fn rotate(&self, a: &Self::Ciphertext, steps: i64) -> Result<Self::Ciphertext, CircuitError>;

    /// The complex conjugate, one key switch.
    fn conjugate(&self, a: &Self::Ciphertext) -> Result<Self::Ciphertext, CircuitError>;

    /// `2 Re a`, one key switch.
    fn twice_real(&self, a: &Self::Ciphertext) -> Result<Self::Ciphertext, CircuitError> {
        self.add(a, &self.conjugate(a)?)
    }

    /// Rotation by `times * steps` with the key of `steps` alone.
    fn rotate_repeatedly(
        &self,
        a: &Self::Ciphertext,
        steps: i64,
        times: usize,
    ) -> Result<Self::Ciphertext, CircuitError> {
        (0..times).try_fold(a.clone(), |rotated, _| self.rotate(&rotated, steps))
    }

    /// `a + vector`, encoded at the scale of `a`: for a vector of one slot, which costs little; others are a [`crate::Constant`].
    fn add_vector(
        &self,
        a: &Self::Ciphertext,
        vector: &[Complex64],
    ) -> Result<Self::Ciphertext, CircuitError> {
        self.add_plain(a, &self.encode(vector, self.scale_of(a))?)
    }
}
