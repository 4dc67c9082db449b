//! A fixed sequence of random numbers for tests (SplitMix64), so that a failure names the seed that repeats it.

use ckks::Complex64;

pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An index below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Complex slots of absolute value 1 in all directions: a bound by the largest slot says as much as it can.
    pub fn slots(&mut self, count: usize) -> Vec<Complex64> {
        (0..count)
            .map(|_| Complex64::from_polar(1.0, std::f64::consts::TAU * self.unit()))
            .collect()
    }

    /// Slots of one of the shapes that break things: zeros, one slot alone, all equal, real, imaginary, of sizes far apart.
    pub fn awkward_slots(&mut self, count: usize) -> Vec<Complex64> {
        let shape = self.below(7);
        let mut slots = self.slots(count);
        let alone = self.below(count);
        for (j, z) in slots.iter_mut().enumerate() {
            *z = match shape {
                0 => Complex64::ZERO,
                1 if j != alone => Complex64::ZERO,
                2 => Complex64::new(-1.0, 1.0),
                3 => Complex64::from(z.re),
                4 => Complex64::new(0.0, z.im),
                5 => *z * (-30.0 * self.unit()).exp2(),
                _ => *z,
            };
        }
        slots
    }
}
