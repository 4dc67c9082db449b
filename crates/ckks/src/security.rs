//! The published bounds that parameters are checked against.

/// Where [`security_bound`] comes from.
pub const SECURITY_SOURCE: &str = "Bossuat et al., Security Guidelines for Implementing Homomorphic Encryption, ePrint 2024/463, table for uniform ternary secrets, 128 bits classical";

/// Where [`ephemeral_bound`] comes from.
pub const EPHEMERAL_SOURCE: &str = "Bossuat et al., Sparse-Secret Encapsulation, ePrint 2022/024, as in Lattigo's sets for 128 bits: weight 32 at 60 + 61 bits";

/// The largest log2(QP) with 128 bits of security for a ternary secret of `weight` nonzero coefficients, by log2 of the ring degree:
/// what the only key under an ephemeral secret may have.
pub const fn ephemeral_bound(log_n: u32, weight: usize) -> Option<u32> {
    match (log_n, weight) {
        (16, 32) => Some(121),
        _ => None,
    }
}

/// The largest log2(QP) with 128 bits of security for a uniform ternary secret and errors of standard deviation 3.19 or
/// more, by log2 of the ring degree. Only the degrees that a released set uses are listed.
pub const fn security_bound(log_n: u32) -> Option<u32> {
    match log_n {
        15 => Some(868),
        16 => Some(1747),
        _ => None,
    }
}
