//! The published bounds that parameters are checked against.

/// Where [`security_bound`] comes from.
pub const SECURITY_SOURCE: &str = "Bossuat et al., Security Guidelines for Implementing Homomorphic Encryption, ePrint 2024/463, table for uniform ternary secrets, 128 bits classical";

/// Where [`ephemeral_bound`] comes from.
///
/// 121 bits are the size of that key in the paper, not the most that is secure: at 120 bits the paper's estimate is 168.5 bits, the rotated hybrid attack's
/// (ePrint 2026/279) 161.8, both as quoted by Poulpy 0.10 (`presets/bootstrapping.rs`); at 117 bits the Lattice Estimator's is 164.6
/// (HomomorphicEncryption/SparseLWEkit, set 3). 128 bits are left at 345 to 349 (jdumezy/sparse-key-estimate). `tests/hybrid_attack.rs` computes them anew.
pub const EPHEMERAL_SOURCE: &str = "Bossuat et al., Sparse-Secret Encapsulation, ePrint 2022/024: the key of weight 32 at N = 2^16 has 121 bits; the Lattice Estimator gives 164 bits of security at 117, the attack of ePrint 2026/279 161 at 120";

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
