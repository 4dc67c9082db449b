//! Sizes that both sides agree on before anything is sent.

/// Largest body of one key part; every part of a key but the last has exactly this size.
pub const PART_BYTES: usize = 8 << 20;

/// Largest container a manifest may ask for.
pub const CONTAINER_BYTES: usize = 256 << 20;

/// Largest manifest a client reads.
pub const MANIFEST_BYTES: usize = 1 << 20;

/// Largest JSON body the server reads.
pub const JSON_BYTES: usize = 4 << 10;

/// Most evaluation keys a manifest may ask for.
pub const KEYS: usize = 128;

/// Most evaluation key bytes a manifest may ask for in all.
pub const KEY_SET_BYTES: usize = 1 << 30;

/// Largest file of a model that a client downloads.
pub const FILE_BYTES: usize = 16 << 20;

/// Most files of a model that a client downloads.
pub const FILES: usize = 8;

/// Most tokens of a vocabulary.
pub const VOCABULARY: u32 = 1 << 16;

/// Parts in which a container of `bytes` is uploaded.
#[must_use]
pub const fn part_count(bytes: usize) -> usize {
    bytes.div_ceil(PART_BYTES)
}

/// Exact size of part `part` of a container of `bytes`, or `None` when there is no such part.
#[must_use]
pub const fn part_length(bytes: usize, part: usize) -> Option<usize> {
    if part >= part_count(bytes) {
        return None;
    }
    let rest = bytes - part * PART_BYTES;
    Some(if rest < PART_BYTES { rest } else { PART_BYTES })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_tile_the_container() {
        for bytes in [
            1,
            PART_BYTES - 1,
            PART_BYTES,
            PART_BYTES + 1,
            3 * PART_BYTES,
        ] {
            let lengths: Vec<_> = (0..).map_while(|part| part_length(bytes, part)).collect();
            assert_eq!(lengths.len(), part_count(bytes));
            assert_eq!(lengths.iter().sum::<usize>(), bytes);
            assert!(
                lengths
                    .iter()
                    .all(|&length| 0 < length && length <= PART_BYTES)
            );
        }
        assert_eq!(part_length(10, usize::MAX), None);
    }
}
