//! What a set says of the sparse secret that a ciphertext passes through when its modulus is raised (Bossuat, Troncoso-Pastoriza, Hubaux,
//! *Bootstrapping for approximate homomorphic encryption with negligible failure-probability by using sparse-secret encapsulation*,
//! ePrint 2022/024).

use crate::{EPHEMERAL_SOURCE, ParametersError, ParametersLiteral, ephemeral_bound};
use serde::{Deserialize, Serialize};

/// The ephemeral secret and the only modulus that anything is ever encrypted under it at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encapsulation {
    /// Coefficients of the ephemeral secret that are 1 or -1; the others are zero.
    pub weight: usize,
    /// Primes of the chain that are left when the modulus is raised: `q_0 .. q_(base-1)`.
    pub base: usize,
    /// Special primes of the key that switches to the ephemeral secret: the first so many.
    pub special: usize,
}

impl Encapsulation {
    /// log2 of the modulus of the key that switches to the ephemeral secret.
    pub fn log_qp(&self, literal: &ParametersLiteral) -> f64 {
        let chain = literal.chain.iter().take(self.base);
        let special = literal.special.iter().take(self.special);
        chain.chain(special).map(|&p| (p as f64).log2()).sum()
    }

    /// Checks shape and, unless the set is exempt, the bound for 128 bits.
    pub(crate) fn check(
        &self,
        literal: &ParametersLiteral,
        exempt: bool,
    ) -> Result<(), ParametersError> {
        let shape = (1..literal.chain.len()).contains(&self.base)
            && (1..=literal.special.len()).contains(&self.special)
            && self.base <= literal.digit
            && (1..1usize << literal.log_n.min(17)).contains(&self.weight);
        if !shape {
            return Err(ParametersError::Shape(
                "the base of an encapsulation is one digit at most and less than the chain, its special primes are some of the set's",
            ));
        }
        if exempt {
            return Ok(());
        }
        let log_n = literal.log_n;
        let bound = ephemeral_bound(log_n, self.weight).ok_or(ParametersError::NoBound(log_n))?;
        let log_qp = self.log_qp(literal);
        if log_qp > bound as f64 {
            return Err(ParametersError::Insecure {
                log_n,
                log_qp,
                bound,
                source_name: EPHEMERAL_SOURCE,
            });
        }
        Ok(())
    }
}
