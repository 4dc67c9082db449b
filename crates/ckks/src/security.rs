//! The published bounds that parameters are checked against.

/// Where [`security_bound`] comes from.
pub const SECURITY_SOURCE: &str = "Bossuat et al., Security Guidelines for Implementing Homomorphic Encryption, ePrint 2024/463, table for uniform ternary secrets, 128 bits classical";

/// The largest log2(QP) with 128 bits of security for a uniform ternary secret and errors of standard deviation 3.19 or
/// more, by log2 of the ring degree. Only the degrees that a released set uses are listed.
pub const fn security_bound(log_n: u32) -> Option<u32> {
    match log_n {
        15 => Some(868),
        16 => Some(1747),
        _ => None,
    }
}
