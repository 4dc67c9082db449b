//! The released sets of parameters, and those of tests.

use crate::{Encapsulation, Parameters, ParametersError, ParametersLiteral};
use ring::primes::ntt_primes_below;

const DEGREE: usize = 1 << 15;

impl Parameters {
    /// The set of the CIFAR-100 vision transformer: 21 primes of 30 bits (19 levels above a base of 60 bits), 8 special primes.
    ///
    /// | N | log2 Q | log2 P | log2 QP | bound | digits | secret | error |
    /// |---|---|---|---|---|---|---|---|
    /// | 2^15 | 630 | 237 | 867 | 868 ([`crate::SECURITY_SOURCE`]) | 3 of 7 primes | uniform ternary | centred binomial, 3.24 |
    ///
    /// The eighth special prime, of 27 bits, makes P exceed a digit by 2^26, so that what the gadget adds stays below the rounding error.
    pub fn n15_q630_p237() -> Result<Self, ParametersError> {
        let primes: Vec<u32> = ntt_primes_below(1 << 30, DEGREE).take(28).collect();
        let (chain, special) = primes.split_at(21);
        let special = special.iter().copied();
        Self::from_literal(ParametersLiteral {
            name: "n15-q630-p237".into(),
            log_n: 15,
            chain: chain.to_vec(),
            special: special
                .chain(ntt_primes_below(1 << 27, DEGREE).take(1))
                .collect(),
            digit: 7,
            log_scale: 30,
            encapsulation: None,
        })
    }

    /// The set of the language model, whose norms need two levels more: 23 primes of 27.5 bits (21 levels above a base of 55 bits).
    ///
    /// | N | log2 Q | log2 P | log2 QP | bound | digits | secret | error |
    /// |---|---|---|---|---|---|---|---|
    /// | 2^15 | 631 | 232 | 863 | 868 ([`crate::SECURITY_SOURCE`]) | 3 of 8 primes | uniform ternary | centred binomial, 3.24 |
    ///
    /// The scale of 2^28 lies above the primes: a product of ciphertexts gains half a bit of scale, which the plaintexts of the next
    /// linear layer take back.
    pub fn n15_q631_p232() -> Result<Self, ParametersError> {
        Self::from_literal(ParametersLiteral {
            name: "n15-q631-p232".into(),
            log_n: 15,
            chain: ntt_primes_below(190_000_000, DEGREE).take(23).collect(),
            special: ntt_primes_below(1 << 29, DEGREE).take(8).collect(),
            digit: 8,
            log_scale: 28,
            encapsulation: None,
        })
    }

    /// The set of six-block transformers of width 256, without bootstrapping: 39 primes of 30 bits (37 levels above a base of 60 bits), 14 special
    /// primes.
    ///
    /// | N | log2 Q | log2 P | log2 QP | bound | digits | secret | error |
    /// |---|---|---|---|---|---|---|---|
    /// | 2^16 | 1168 | 416 | 1584 | 1747 ([`crate::SECURITY_SOURCE`]) | 3 of 13 primes | uniform ternary | centred binomial, 3.24 |
    ///
    /// As in the smaller set the last special prime, of 27 bits, makes P exceed a digit.
    pub fn n16_q1168_p416() -> Result<Self, ParametersError> {
        let degree = 1 << 16;
        let primes: Vec<u32> = ntt_primes_below(1 << 30, degree).take(52).collect();
        let (chain, special) = primes.split_at(39);
        let special = special.iter().copied();
        Self::from_literal(ParametersLiteral {
            name: "n16-q1168-p416".into(),
            log_n: 16,
            chain: chain.to_vec(),
            special: special
                .chain(ntt_primes_below(1 << 27, degree).take(1))
                .collect(),
            digit: 13,
            log_scale: 30,
            encapsulation: None,
        })
    }

    /// The set with bootstrapping, of the deep vision transformer and of whatever is deeper: 45 primes of 30 bits, of which 17 levels are left after a refresh, 13 special primes.
    ///
    /// | N | log2 Q | log2 P | log2 QP | bound | digits | secret | error |
    /// |---|---|---|---|---|---|---|---|
    /// | 2^16 | 1348 | 389 | 1736 | 1747 ([`crate::SECURITY_SOURCE`]) | 4 of 12 primes | uniform ternary | centred binomial, 3.24 |
    /// | 2^16, ephemeral | 60 | 60 | 120 | 121 ([`crate::EPHEMERAL_SOURCE`]) | 1 of 2 primes | ternary of weight 32 | centred binomial, 3.24 |
    pub fn n16_bootstrapping() -> Result<Self, ParametersError> {
        Self::from_literal(bootstrapping("n16-q1348-p389-h32".into(), 16)?)
    }

    /// A test set at a small ring, otherwise shaped like [`Parameters::n16_bootstrapping`]. No security at all.
    #[cfg(feature = "insecure-parameters")]
    pub fn insecure_bootstrapping(log_n: u32) -> Result<Self, ParametersError> {
        let log_n = log_n.clamp(6, 16);
        Self::from_literal(bootstrapping(
            format!("insecure-bootstrapping-n{log_n}"),
            log_n,
        )?)
    }

    /// The released sets, shortest chain first; the last is the one with bootstrapping.
    pub fn released() -> Result<[Self; 4], ParametersError> {
        Ok([
            Self::n15_q630_p237()?,
            Self::n15_q631_p232()?,
            Self::n16_q1168_p416()?,
            Self::n16_bootstrapping()?,
        ])
    }

    /// A test set at a small ring with `chain` primes of 30 bits, otherwise shaped like [`Parameters::n15_q630_p237`]. No security at all.
    #[cfg(feature = "insecure-parameters")]
    pub fn insecure(log_n: u32, chain: usize) -> Result<Self, ParametersError> {
        let degree = 1usize << log_n.min(17);
        let primes: Vec<u32> = ntt_primes_below(1 << 30, degree).take(chain + 7).collect();
        if primes.len() < chain + 7 {
            return Err(ParametersError::Shape("too many primes for a test set"));
        }
        Self::from_literal(ParametersLiteral {
            name: format!("insecure-n{log_n}-l{chain}"),
            log_n,
            chain: primes[..chain].to_vec(),
            special: primes[chain..]
                .iter()
                .copied()
                .chain(ntt_primes_below(1 << 27, degree).take(1))
                .collect(),
            digit: 7,
            log_scale: 30,
            encapsulation: None,
        })
    }

    /// The set of a name that this build knows.
    pub fn by_name(name: &str) -> Result<Self, ParametersError> {
        #[cfg(feature = "insecure-parameters")]
        if let Some((log_n, chain)) = name
            .strip_prefix("insecure-n")
            .and_then(|rest| rest.split_once("-l"))
            && let (Ok(log_n @ 5..=13), Ok(chain @ 2..=23)) = (log_n.parse(), chain.parse())
        {
            return Self::insecure(log_n, chain);
        }
        #[cfg(feature = "insecure-parameters")]
        if let Some(Ok(log_n @ 6..=13)) = name
            .strip_prefix("insecure-bootstrapping-n")
            .map(str::parse)
        {
            return Self::insecure_bootstrapping(log_n);
        }
        match name {
            "n15-q630-p237" => Self::n15_q630_p237(),
            "n15-q631-p232" => Self::n15_q631_p232(),
            "n16-q1168-p416" => Self::n16_q1168_p416(),
            "n16-q1348-p389-h32" => Self::n16_bootstrapping(),
            _ => Err(ParametersError::Unknown(name.into())),
        }
    }
}

/// Primes of the chain below the pairs: the base, SlotsToCoeffs, and the levels that a refresh leaves.
const SINGLE: usize = 23;

/// Two primes a level from `q_23` on, the largest with the smallest, so that all pairs have nearly one product and scales do not drift.
fn bootstrapping(name: String, log_n: u32) -> Result<ParametersLiteral, ParametersError> {
    let primes: Vec<u32> = ntt_primes_below(1 << 30, 1 << log_n).take(58).collect();
    let shape = ParametersError::Shape("too few primes for a set with bootstrapping");
    let (chain, special) = primes.split_at_checked(45).ok_or(shape)?;
    let (single, paired) = chain.split_at(SINGLE);
    let half = paired.len() / 2;
    let pairs = (0..half).flat_map(|i| [paired[i], paired[paired.len() - 1 - i]]);
    Ok(ParametersLiteral {
        name,
        log_n,
        chain: single.iter().copied().chain(pairs).collect(),
        special: special.to_vec(),
        digit: 12,
        log_scale: 30,
        encapsulation: Some(Encapsulation {
            weight: 32,
            base: 2,
            special: 2,
        }),
    })
}
