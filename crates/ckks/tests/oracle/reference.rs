//! CKKS written from its definition with big integers: slow, and without a line of `ring` or `ckks`. It reads bytes as `docs/protocol.md`
//! describes them, expands seeds with BLAKE3, multiplies polynomials term by term and embeds by direct sums.

use num_bigint::{BigInt, Sign};

/// A polynomial of `Z[X]/(X^N + 1)` by coefficients.
pub type Polynomial = Vec<BigInt>;

/// One ring, its secret and its primes.
pub struct Reference {
    pub degree: usize,
    pub digest: [u8; 32],
    pub chain: Vec<u32>,
    pub special: Vec<u32>,
    pub secret: Polynomial,
}

/// The BLAKE3 stream of a seed for one purpose: keyed, each part of the label preceded by its length.
fn stream(seed: &[u8; 32], label: &[&[u8]]) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new_keyed(seed);
    for part in label {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize_xof()
}

fn word(stream: &mut blake3::OutputReader) -> u32 {
    let mut bytes = [0; 4];
    stream.fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// `x mod m` in `[0, m)`.
pub fn modulo(x: &BigInt, m: &BigInt) -> BigInt {
    ((x % m) + m) % m
}

/// `x mod m` in `(-m/2, m/2]`.
pub fn centered(x: &BigInt, m: &BigInt) -> BigInt {
    let x = modulo(x, m);
    if &x * 2 > *m { x - m } else { x }
}

pub fn product_of(primes: &[u32]) -> BigInt {
    primes.iter().map(|&p| BigInt::from(p)).product()
}

/// The number below the product that has these residues.
pub fn combine(residues: &[u32], primes: &[u32], modulus: &BigInt) -> BigInt {
    let term = |(&r, &p): (&u32, &u32)| {
        let (p, rest) = (BigInt::from(p), modulus / p);
        let inverse = modulo(&rest, &p).modpow(&(&p - 2), &p);
        rest * modulo(&(inverse * r), &p)
    };
    modulo(&residues.iter().zip(primes).map(term).sum(), modulus)
}

/// Term by term, `X^N = -1`.
pub fn multiply(a: &[BigInt], b: &[BigInt]) -> Polynomial {
    (0..a.len())
        .map(|k| coefficient_of_product(a, b, k))
        .collect()
}

/// The coefficient of `X^k` in the product.
pub fn coefficient_of_product(a: &[BigInt], b: &[BigInt], k: usize) -> BigInt {
    let (degree, mut sum) = (a.len(), BigInt::ZERO);
    for (i, x) in a.iter().enumerate() {
        if i <= k {
            sum += x * &b[k - i];
        } else {
            sum -= x * &b[degree + k - i];
        }
    }
    sum
}

/// `a(X^g)`.
pub fn automorphism(a: &[BigInt], g: usize) -> Polynomial {
    let mut out = vec![BigInt::ZERO; a.len()];
    for (i, x) in a.iter().enumerate() {
        let image = i * g % (2 * a.len());
        let sign = if image < a.len() {
            Sign::Plus
        } else {
            Sign::Minus
        };
        out[image % a.len()] = x * BigInt::from_biguint(sign, 1u32.into());
    }
    out
}

pub fn add(a: &[BigInt], b: &[BigInt]) -> Polynomial {
    a.iter().zip(b).map(|(x, y)| x + y).collect()
}

impl Reference {
    pub fn new(
        log_n: u32,
        digest: [u8; 32],
        chain: &[u32],
        special: &[u32],
        seed: &[u8; 32],
    ) -> Self {
        let mut stream = stream(seed, &[b"secret key", &digest]);
        let ternary = |_| BigInt::from(((u64::from(word(&mut stream)) * 3) >> 32) as i64 - 1);
        let degree = 1 << log_n;
        Self {
            degree,
            digest,
            chain: chain.to_vec(),
            special: special.to_vec(),
            secret: (0..degree).map(ternary).collect(),
        }
    }

    /// `Q` at a level.
    pub fn modulus(&self, level: usize) -> BigInt {
        product_of(&self.chain[..=level])
    }

    /// The polynomial that a public seed stands for: words masked to the bits of the prime, those not below it left out.
    pub fn mask(&self, seed: &[u8; 32], index: u32, primes: &[u32]) -> Polynomial {
        let limbs: Vec<Vec<u32>> = (0u32..)
            .zip(primes)
            .map(|(limb, &p)| {
                let label: [&[u8]; 4] = [
                    b"mask",
                    &self.digest,
                    &index.to_le_bytes(),
                    &limb.to_le_bytes(),
                ];
                let (mut stream, bits) = (stream(seed, &label), 32 - (p - 1).leading_zeros());
                std::iter::repeat_with(|| word(&mut stream) & ((1 << bits) - 1))
                    .filter(|&w| w < p)
                    .take(self.degree)
                    .collect()
            })
            .collect();
        self.join(&limbs, primes)
    }

    /// Reads one polynomial, limb after limb, each residue in as many bits as its prime, least significant bit first.
    pub fn read(&self, primes: &[u32], bytes: &mut &[u8]) -> Polynomial {
        let limbs: Vec<Vec<u32>> = primes
            .iter()
            .map(|&p| {
                let bits = (32 - (p - 1).leading_zeros()) as usize;
                let (limb, rest) = bytes.split_at((bits * self.degree).div_ceil(8));
                *bytes = rest;
                let bit = |i: usize| u32::from(limb[i / 8] >> (i % 8) & 1);
                (0..self.degree)
                    .map(|j| (0..bits).map(|i| bit(j * bits + i) << i).sum())
                    .collect()
            })
            .collect();
        self.join(&limbs, primes)
    }

    fn join(&self, limbs: &[Vec<u32>], primes: &[u32]) -> Polynomial {
        let modulus = product_of(primes);
        // Once for all coefficients: the number that is 1 modulo one prime and 0 modulo the others.
        let units: Vec<BigInt> = (0..primes.len())
            .map(|i| {
                let unit: Vec<u32> = (0..primes.len()).map(|j| u32::from(i == j)).collect();
                combine(&unit, primes, &modulus)
            })
            .collect();
        (0..self.degree)
            .map(|j| {
                let sum: BigInt = limbs
                    .iter()
                    .zip(&units)
                    .map(|(limb, unit)| unit * limb[j])
                    .sum();
                sum % &modulus
            })
            .collect()
    }

    /// `c_0 + c_1 s + c_2 s^2 + ...`, centred modulo `Q`.
    pub fn decrypt(&self, parts: &[Polynomial], modulus: &BigInt) -> Polynomial {
        let mut sum = vec![BigInt::ZERO; self.degree];
        for part in parts.iter().rev() {
            sum = add(&multiply(&sum, &self.secret), part);
        }
        sum.iter().map(|x| centered(x, modulus)).collect()
    }
}
