//! A deterministic mutator: what a fuzzer does to a corpus, without its feedback.

/// Changes bytes as a fixed sequence of random numbers says.
pub struct Mutator(u64);

/// Numbers at which readers change their mind.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "1e-308",
    "NaN",
];

impl Mutator {
    /// A sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// One of the corpus with one to eight changes.
    pub fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus
            .get(self.below(corpus.len()))
            .cloned()
            .unwrap_or_default();
        for _ in 0..1 + self.below(8) {
            self.change(&mut bytes, corpus);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.below(16)).min(bytes.len());
        match self.below(8) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = [0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'{'][self.below(8)];
                }
            }
            2 => bytes.truncate(at),
            3 if at < end => drop(bytes.drain(at..end)),
            4 => {
                let count = self.below(20);
                let new: Vec<u8> = (0..count).map(|_| self.next() as u8).collect();
                drop(bytes.splice(at..at, new));
            }
            // Little-endian words of all ones, zeros or a large number: lengths and counts.
            5 => {
                let word = [0, u64::MAX, 1 << 31, u64::from(u32::MAX), self.next()][self.below(5)];
                for (byte, new) in bytes.iter_mut().skip(at).zip(word.to_le_bytes()) {
                    *byte = new;
                }
            }
            6 => self.replace_number(bytes, at),
            // A piece of another file.
            _ => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                let to = (from + self.below(64)).min(other.len());
                drop(bytes.splice(at..end.max(at), other[from..to].iter().copied()));
            }
        }
    }

    /// The next decimal number after `at` becomes another.
    fn replace_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let digit = |b: &u8| b.is_ascii_digit();
        let Some(start) = bytes.iter().skip(at).position(digit).map(|i| i + at) else {
            return;
        };
        let length = bytes[start..].iter().take_while(|b| digit(b)).count();
        let number = NUMBERS[self.below(NUMBERS.len())];
        drop(bytes.splice(start..start + length, number.bytes()));
    }
}
