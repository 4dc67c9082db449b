//! Exact bit-packing of residues: each takes as many bits as its prime has, least significant bit first.

/// Bytes that `count` values of `bits` bits take.
pub const fn packed_len(count: usize, bits: u32) -> usize {
    (count * bits as usize).div_ceil(8)
}

/// Appends `values`, each below `2^bits`, to `out`.
pub fn pack(values: impl IntoIterator<Item = u32>, bits: u32, out: &mut Vec<u8>) {
    let (mut buffer, mut filled) = (0u64, 0);
    for value in values {
        buffer |= (value as u64) << filled;
        filled += bits;
        while filled >= 8 {
            out.push(buffer as u8);
            buffer >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(buffer as u8);
    }
}

/// Reads `out.len()` values of `bits` bits; `None` when `bytes` has another length than [`packed_len`], a value is not
/// below `bound`, or padding bits are set.
pub fn unpack(bytes: &[u8], bits: u32, bound: u32, out: &mut [u32]) -> Option<()> {
    if bytes.len() != packed_len(out.len(), bits) || bits > 32 {
        return None;
    }
    let mask = (1u64 << bits) - 1;
    let (mut buffer, mut filled) = (0u64, 0);
    let mut source = bytes.iter();
    for value in out {
        while filled < bits {
            buffer |= (*source.next()? as u64) << filled;
            filled += 8;
        }
        *value = (buffer & mask) as u32;
        if *value >= bound {
            return None;
        }
        buffer >>= bits;
        filled -= bits;
    }
    (buffer == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        for bits in [17u32, 27, 30] {
            let bound = (1 << bits) - 5;
            let values: Vec<u32> = (0..1001u32)
                .map(|i| i.wrapping_mul(2654435761) % bound)
                .collect();
            let mut bytes = Vec::new();
            pack(values.iter().copied(), bits, &mut bytes);
            assert_eq!(bytes.len(), packed_len(values.len(), bits));
            let mut back = vec![0; values.len()];
            assert!(unpack(&bytes, bits, bound, &mut back).is_some());
            assert_eq!(values, back);
            assert!(unpack(&bytes[1..], bits, bound, &mut back).is_none());
            assert!(unpack(&bytes, bits, *values.iter().max().unwrap(), &mut back).is_none());
            *bytes.last_mut().unwrap() |= 0x80;
            assert!(unpack(&bytes, bits, bound, &mut back).is_none());
        }
    }
}
