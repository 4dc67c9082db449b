//! Limbs as bits: what keys and ciphertexts share on the wire. Wire forms hold coefficients, so that they do not depend on
//! the order in which a kernel leaves its evaluations.

use crate::{Parameters, Subring, WireError};
use ring::{Basis, Poly, Seed, pack, packed_len, unpack};

/// Bytes of a 32-byte seed.
pub(crate) const SEED_BYTES: usize = 32;

/// Bytes of all limbs over `basis`, `count` residues of each.
pub(crate) fn packed_bytes(parameters: &Parameters, basis: Basis, count: usize) -> usize {
    parameters
        .ring()
        .moduli(basis)
        .map(|modulus| packed_len(count, modulus.bits()))
        .sum()
}

/// Appends the coefficients that a subring sends, of every limb.
pub(crate) fn pack_poly(parameters: &Parameters, poly: &Poly, subring: Subring, out: &mut Vec<u8>) {
    for (limb, modulus) in poly.limbs().zip(parameters.ring().moduli(poly.basis())) {
        let sent = subring.positions(limb.len()).map(|k| limb[k]);
        pack(sent, modulus.bits(), out);
    }
}

/// Reads what [`pack_poly`] wrote, the other coefficients being zero, and returns the bytes that follow.
pub(crate) fn unpack_poly<'b>(
    parameters: &Parameters,
    basis: Basis,
    subring: Subring,
    mut bytes: &'b [u8],
) -> Result<(Poly, &'b [u8]), WireError> {
    let count = subring.sent(parameters.degree());
    let expected = packed_bytes(parameters, basis, count);
    if bytes.len() < expected {
        return Err(WireError::Length {
            expected,
            found: bytes.len(),
        });
    }
    let mut poly = parameters.ring().zero(basis);
    let mut values = vec![0; count];
    for (i, modulus) in parameters.ring().moduli(basis).enumerate() {
        let (packed, rest) = bytes.split_at(packed_len(count, modulus.bits()));
        unpack(packed, modulus.bits(), modulus.value(), &mut values).ok_or(WireError::Residue)?;
        let limb = poly.limb_mut(i);
        for (k, &value) in subring.positions(limb.len()).zip(&values) {
            limb[k] = value;
        }
        bytes = rest;
    }
    Ok((poly, bytes))
}

/// The uniform polynomial that a public seed stands for, by coefficients.
pub(crate) fn expand_mask(
    parameters: &Parameters,
    seed: &[u8; SEED_BYTES],
    index: usize,
    basis: Basis,
) -> Poly {
    let seed = Seed::from_bytes(*seed);
    let mut poly = parameters.ring().zero(basis);
    parameters.ring().each(&mut poly, |kernel, i, limb| {
        mask_limb(&seed, parameters, index, i).uniform(kernel.modulus(), limb);
    });
    poly
}

fn mask_limb(seed: &Seed, parameters: &Parameters, index: usize, limb: usize) -> ring::Xof {
    seed.xof(&[
        b"mask",
        &parameters.digest(),
        &(index as u32).to_le_bytes(),
        &(limb as u32).to_le_bytes(),
    ])
}
