//! The parameter sets: those that the models use, and one at N = 2^16 in the same style for models that need more levels.

use ckks::{Parameters, ParametersError, ParametersLiteral};
use ring::primes::ntt_primes_below;

pub(crate) fn all() -> Result<[Parameters; 2], ParametersError> {
    Ok([Parameters::n15_q630_p237()?, n16()?])
}

/// 44 primes in four digits of eleven, twelve special primes: log2 QP = 1679 of 1747.
fn n16() -> Result<Parameters, ParametersError> {
    let primes: Vec<u32> = ntt_primes_below(1 << 30, 1 << 16).take(56).collect();
    Parameters::from_literal(ParametersLiteral {
        name: "n16-q1319-p360".into(),
        log_n: 16,
        chain: primes[..44].to_vec(),
        special: primes[44..].to_vec(),
        digit: 11,
        log_scale: 30,
        encapsulation: None,
    })
}

pub(crate) fn describe(parameters: &Parameters) {
    let log_q = parameters.log_q(parameters.max_level());
    let digits = (parameters.max_level() + 1).div_ceil(parameters.literal().digit);
    println!(
        "{}: N = 2^{}, log2 Q = {log_q:.1}, log2 P = {:.1}, log2 QP = {:.1}, {digits} digits, {} bits of security\n",
        parameters.name(),
        parameters.log_n(),
        parameters.log_qp() - log_q,
        parameters.log_qp(),
        parameters.security_bits(),
    );
}
