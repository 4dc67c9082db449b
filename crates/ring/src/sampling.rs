//! Randomness: 32-byte seeds from the operating system, expanded by the BLAKE3 extendable output function.

use crate::Modulus;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A 32-byte seed, wiped when dropped. It has no serialiser and no `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A fresh seed from the operating system (in a browser: `crypto.getRandomValues`).
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A seed from bytes that the caller drew or derived.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed for one purpose: BLAKE3 keyed with this seed, over the parts of a label, each preceded by its length.
    pub fn derive(&self, label: &[&[u8]]) -> Seed {
        let mut child = Seed([0; 32]);
        self.xof(label).fill(&mut child.0);
        child
    }

    /// The stream for one purpose.
    pub fn xof(&self, label: &[&[u8]]) -> Xof {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in label {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let xof = Xof(hasher.finalize_xof());
        hasher.zeroize();
        xof
    }

    /// The bytes, for a seed that is public (that of a mask) or that its owner keeps.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A stream of pseudo-random bytes (BLAKE3 extendable output), whose state is wiped when dropped.
pub struct Xof(blake3::OutputReader);

impl Drop for Xof {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Xof {
    /// The next bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    /// Uniform residues, by rejection on masked 32-bit words. For public values: the time depends on the words refused.
    pub fn uniform(&mut self, modulus: Modulus, out: &mut [u32]) {
        let mask = u32::MAX >> (32 - modulus.bits());
        let mut block = [0u8; 4096];
        let mut at = block.len();
        for value in out {
            *value = loop {
                if at == block.len() {
                    self.0.fill(&mut block);
                    at = 0;
                }
                let word =
                    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
                        & mask;
                at += 4;
                if word < modulus.value() {
                    break word;
                }
            };
        }
    }

    /// Uniform values of {-1, 0, 1}, in constant time: `floor(3 w / 2^32) - 1`, whose bias is below 2^-31.
    pub fn ternary(&mut self, out: &mut [i32]) {
        self.blocks::<4>(out, |bytes| {
            ((u32::from_le_bytes(bytes) as u64 * 3) >> 32) as i32 - 1
        });
    }

    /// `weight` values of 1 or -1 at uniform places, zeros elsewhere, in constant time: each place is taken with probability (ones left) /
    /// (places left), by comparing a masked product (selection sampling; Knuth, volume 2, algorithm 3.4.2 S), whose bias is below 2^-47.
    ///
    /// # Panics
    /// When there are fewer places than ones or more than 2^17.
    pub fn sparse_ternary(&mut self, weight: usize, out: &mut [i32]) {
        assert!(weight <= out.len() && out.len() <= 1 << 17);
        let (mut ones, mut places) = (weight as u64, out.len() as u64);
        let mut words = [0u8; 2048];
        for chunk in out.chunks_mut(words.len() / 8) {
            self.0.fill(&mut words[..chunk.len() * 8]);
            for (slot, bytes) in chunk.iter_mut().zip(words.as_chunks::<8>().0) {
                let word = u64::from_le_bytes(*bytes);
                // 47 bits choose the place, the lowest one the sign.
                let drawn = ((word >> 17) * places) >> 47;
                let taken = drawn.wrapping_sub(ones) >> 63;
                *slot = taken as i32 * (1 - 2 * (word & 1) as i32);
                ones -= taken;
                places -= 1;
            }
        }
        words.zeroize();
    }

    /// The centred binomial distribution with parameter 21 (standard deviation 3.24), in constant time.
    pub fn error(&mut self, out: &mut [i32]) {
        const HALF: u64 = (1 << 21) - 1;
        self.blocks::<8>(out, |bytes| {
            let word = u64::from_le_bytes(bytes);
            (word & HALF).count_ones() as i32 - ((word >> 21) & HALF).count_ones() as i32
        });
    }

    fn blocks<const B: usize>(&mut self, out: &mut [i32], value: impl Fn([u8; B]) -> i32) {
        let mut block = [0u8; 2048];
        for chunk in out.chunks_mut(block.len() / B) {
            self.0.fill(&mut block[..chunk.len() * B]);
            for (slot, bytes) in chunk.iter_mut().zip(block.as_chunks::<B>().0) {
                *slot = value(*bytes);
            }
        }
        block.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_separate_streams() {
        let seed = Seed::from_bytes([7; 32]);
        let draw = |label: &[&[u8]]| {
            let mut bytes = [0; 16];
            seed.xof(label).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(&[b"a", b"b"]), draw(&[b"a", b"b"]));
        assert_ne!(draw(&[b"a", b"b"]), draw(&[b"ab"]));
        assert_ne!(draw(&[b"a", b""]), draw(&[b"a"]));
    }

    #[test]
    fn sparse_values_have_their_weight_and_lie_anywhere() {
        let mut seen = vec![0u32; 64];
        let mut sum = 0;
        for seed in 0..4000u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&seed.to_le_bytes());
            let mut values = [0; 64];
            let mut xof = Seed::from_bytes(bytes).xof(&[b"sparse"]);
            xof.sparse_ternary(16, &mut values);
            assert_eq!(values.iter().map(|x| x * x).sum::<i32>(), 16);
            sum += values.iter().sum::<i32>();
            seen.iter_mut()
                .zip(values)
                .for_each(|(n, x)| *n += x.unsigned_abs());
        }
        // A thousand each, with a deviation of 27.
        assert!(seen.iter().all(|n| (850..1150).contains(n)), "{seen:?}");
        // 64,000 signs, with a deviation of 253.
        assert!(sum.abs() < 1500, "{sum}");
        let mut all = [0; 8];
        Seed::from_bytes([5; 32])
            .xof(&[b"all"])
            .sparse_ternary(8, &mut all);
        assert!(all.iter().all(|x| x.abs() == 1));
    }

    #[test]
    fn distributions_have_their_moments() {
        let count = 1 << 17;
        let mut xof = Seed::from_bytes([1; 32]).xof(&[b"test"]);
        let mut values = vec![0; count];
        let moments = |values: &[i32]| {
            let mean = values.iter().map(|&x| x as f64).sum::<f64>() / count as f64;
            (
                mean,
                values.iter().map(|&x| (x as f64).powi(2)).sum::<f64>() / count as f64,
            )
        };
        xof.ternary(&mut values);
        let (mean, variance) = moments(&values);
        assert!(
            mean.abs() < 0.01 && (variance - 2.0 / 3.0).abs() < 0.01,
            "{mean} {variance}"
        );
        xof.error(&mut values);
        let (mean, variance) = moments(&values);
        assert!(
            mean.abs() < 0.05 && (variance - 10.5).abs() < 0.2,
            "{mean} {variance}"
        );
        assert!(values.iter().all(|x| x.abs() <= 21));
        let modulus = Modulus::new(786433).unwrap();
        let mut residues = vec![0; count];
        xof.uniform(modulus, &mut residues);
        assert!(residues.iter().all(|&x| x < 786433));
        let mean = residues.iter().map(|&x| x as f64).sum::<f64>() / count as f64;
        assert!((mean / 786433.0 - 0.5).abs() < 0.005, "{mean}");
    }
}
