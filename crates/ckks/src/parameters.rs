//! Parameters: a literal that anyone may write, and the checked, immutable set made from it.

use crate::{Encapsulation, Encoder, ParametersError, SECURITY_SOURCE, security_bound};
use ring::{BaseConversion, Basis, Division, Poly, Ring};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Unchecked parameters, as written in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParametersLiteral {
    /// The name of the set; `insecure-...` for test sets, which no bound is checked for.
    pub name: String,
    /// log2 of the ring degree `N`.
    pub log_n: u32,
    /// The ciphertext primes `q_0 .. q_L`; rescaling drops them from the end.
    pub chain: Vec<u32>,
    /// The special primes `p_0 .. p_(K-1)` of key switching.
    pub special: Vec<u32>,
    /// Primes of the chain that one digit of the gadget holds.
    pub digit: usize,
    /// log2 of the scale that circuits return to.
    pub log_scale: u32,
    /// The sparse secret of bootstrapping, where the set has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encapsulation: Option<Encapsulation>,
}

/// Checked parameters with everything precomputed that depends on them alone. Cheap to clone.
#[derive(Clone)]
pub struct Parameters(Arc<Inner>);

struct Inner {
    literal: ParametersLiteral,
    digest: [u8; 32],
    ring: Ring,
    encoder: Encoder,
    /// `digits[d][n - 1]`: the conversion from the first `n` primes of digit `d`.
    digits: Vec<Vec<BaseConversion>>,
    /// `rescale[l]`: division by `q_l`.
    rescale: Vec<Division>,
    /// `rescale_twice[l]`: division by `q_l q_(l-1)`; by `q_0` for `l = 0`.
    rescale_twice: Vec<Division>,
    mod_down: Division,
    /// Division by the special primes of the key that switches to the ephemeral secret.
    mod_down_encapsulated: Option<Division>,
    /// Plaintext coefficients stay below it in absolute value.
    coefficient_bound: i64,
    /// `X^(N/2)`, whose value in every slot is the imaginary unit.
    imaginary: Poly,
}

impl Parameters {
    /// Checks a literal: primes, shape and, unless its name begins with `insecure-`, the bound for 128 bits.
    pub fn from_literal(literal: ParametersLiteral) -> Result<Self, ParametersError> {
        let levels = literal.chain.len();
        if levels < 2
            || literal.special.is_empty()
            || !(1..=15).contains(&literal.digit)
            || literal.special.len() > 14
        {
            return Err(ParametersError::Shape(
                "a chain of two primes or more, one to 14 special primes and digits of one to 15 primes are needed",
            ));
        }
        if !(10..=50).contains(&literal.log_scale) {
            return Err(ParametersError::Shape(
                "log2 of the scale lies between 10 and 50",
            ));
        }
        // Only builds for tests know sets that are exempt, so that no name leads a released server around the bound.
        let exempt = cfg!(feature = "insecure-parameters") && literal.name.starts_with("insecure-");
        if !exempt {
            let log_n = literal.log_n;
            let bound = security_bound(log_n).ok_or(ParametersError::NoBound(log_n))?;
            let log_qp = literal.log_qp();
            if log_qp > bound as f64 {
                return Err(ParametersError::Insecure {
                    log_n,
                    log_qp,
                    bound,
                    source_name: SECURITY_SOURCE,
                });
            }
        }
        if let Some(encapsulation) = &literal.encapsulation {
            encapsulation.check(&literal, exempt)?;
        }
        let degree = 1usize.checked_shl(literal.log_n).unwrap_or(0);
        let ring = Ring::new(degree, &literal.chain, &literal.special)?;
        let basis = ring.basis();
        let digits = (0..levels)
            .step_by(literal.digit)
            .map(|start| {
                (start + 1..=levels.min(start + literal.digit))
                    .map(|end| BaseConversion::new(&ring, basis, start..end))
                    .collect()
            })
            .collect();
        let rescale = (0..levels)
            .map(|l| Division::new(&ring, basis, l..l + 1))
            .collect();
        let rescale_twice = (0..levels)
            .map(|l: usize| Division::new(&ring, basis, l.saturating_sub(1)..l + 1))
            .collect();
        let mod_down = Division::new(&ring, basis, levels..basis.limbs());
        let mod_down_encapsulated = literal
            .encapsulation
            .map(|e| Division::new(&ring, basis, levels..levels + e.special));
        let coefficient_bound = ring
            .moduli(Basis::of_chain(levels))
            .map(|modulus| modulus.signed_bound())
            .min()
            .unwrap_or(0);
        let mut imaginary = vec![0; degree];
        imaginary[degree / 2] = 1;
        let mut imaginary = ring.reduce_signed(&imaginary, Basis::of_chain(levels));
        ring.forward(&mut imaginary);
        let canonical = serde_json::to_vec(&(&literal, "ternary", "cbd21", "blake3-xof", 1u8))
            .unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            digest: *blake3::hash(&canonical).as_bytes(),
            encoder: Encoder::new(degree),
            literal,
            ring,
            digits,
            rescale,
            rescale_twice,
            mod_down,
            mod_down_encapsulated,
            coefficient_bound,
            imaginary,
        })))
    }

    /// The name of the set.
    pub fn name(&self) -> &str {
        &self.0.literal.name
    }

    /// The literal it was made from.
    pub fn literal(&self) -> &ParametersLiteral {
        &self.0.literal
    }

    /// BLAKE3 of the literal, the distributions and the expansion: equal digests, compatible objects.
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest
    }

    /// log2 of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.0.literal.log_n
    }

    /// The ring degree `N`.
    pub fn degree(&self) -> usize {
        1 << self.0.literal.log_n
    }

    /// Complex numbers in a ciphertext, `N/2`.
    pub fn slots(&self) -> usize {
        self.degree() / 2
    }

    /// The level of a fresh ciphertext, `L`: one less than the primes of the chain.
    pub fn max_level(&self) -> usize {
        self.0.literal.chain.len() - 1
    }

    /// The scale that circuits return to.
    pub fn scale(&self) -> f64 {
        (1u64 << self.0.literal.log_scale) as f64
    }

    /// The prime that a rescale at `level` divides by.
    pub fn prime(&self, level: usize) -> f64 {
        self.0.literal.chain[level] as f64
    }

    /// The sparse secret of bootstrapping, where the set has one.
    pub fn encapsulation(&self) -> Option<&Encapsulation> {
        self.0.literal.encapsulation.as_ref()
    }

    /// log2 of the product of all primes.
    pub fn log_qp(&self) -> f64 {
        self.0.literal.log_qp()
    }

    /// log2 of the modulus at `level`.
    pub fn log_q(&self, level: usize) -> f64 {
        self.0.literal.chain[..=level]
            .iter()
            .map(|&q| (q as f64).log2())
            .sum()
    }

    /// 128 for every set that was checked against the bound, 0 for `insecure-...` sets.
    pub fn security_bits(&self) -> u32 {
        if self.name().starts_with("insecure-") {
            0
        } else {
            128
        }
    }

    /// The encoder of this ring.
    pub fn encoder(&self) -> &Encoder {
        &self.0.encoder
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.0.ring
    }

    pub(crate) fn special(&self) -> usize {
        self.0.literal.special.len()
    }

    /// The primes of a ciphertext at `level`.
    pub(crate) fn basis(&self, level: usize) -> Basis {
        Basis::of_chain(level + 1)
    }

    /// The primes of an evaluation key for `level`.
    pub(crate) fn key_basis(&self, level: usize) -> Basis {
        Basis {
            q: level + 1,
            p: self.special(),
        }
    }

    /// The chain primes of each digit at `level`.
    pub(crate) fn digit_ranges(
        &self,
        level: usize,
    ) -> impl ExactSizeIterator<Item = std::ops::Range<usize>> + use<> {
        let (limbs, digit) = (level + 1, self.0.literal.digit);
        (0..limbs.div_ceil(digit)).map(move |d| d * digit..limbs.min((d + 1) * digit))
    }

    pub(crate) fn digit_conversion(&self, digit: usize, limbs: usize) -> &BaseConversion {
        &self.0.digits[digit][limbs - 1]
    }

    pub(crate) fn rescale_division(&self, level: usize) -> &Division {
        &self.0.rescale[level]
    }

    /// Two primes at once, for `level` of one or more.
    pub(crate) fn rescale_twice_division(&self, level: usize) -> &Division {
        &self.0.rescale_twice[level]
    }

    /// Division by the first `special` special primes: all, or those of the ephemeral secret's key.
    pub(crate) fn mod_down(&self, special: usize) -> &Division {
        match &self.0.mod_down_encapsulated {
            Some(division) if special < self.special() => division,
            _ => &self.0.mod_down,
        }
    }

    /// Coefficients of plaintexts stay below it in absolute value.
    pub(crate) fn coefficient_bound(&self) -> i64 {
        self.0.coefficient_bound
    }

    pub(crate) fn imaginary(&self) -> &Poly {
        &self.0.imaginary
    }
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parameters({})", self.name())
    }
}

impl ParametersLiteral {
    fn log_qp(&self) -> f64 {
        self.chain
            .iter()
            .chain(&self.special)
            .map(|&p| (p as f64).log2())
            .sum()
    }
}
