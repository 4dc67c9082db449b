//! The parameter sets: that of the vision model at N = 2^15, and that with bootstrapping at N = 2^16.

use ckks::{Parameters, ParametersError};

pub(crate) fn all() -> Result<[Parameters; 2], ParametersError> {
    Ok([
        Parameters::n15_q630_p237()?,
        Parameters::n16_bootstrapping()?,
    ])
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
