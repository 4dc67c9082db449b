#![doc = include_str!("../README.md")]

mod automorphism;
mod bits;
mod conversion;
mod division;
mod kernel;
mod modulus;
mod parallel;
mod poly;
mod pool;
pub mod primes;
mod rns;
mod sampling;

pub use automorphism::{Automorphism, galois_element_of_rotation};
pub use bits::{pack, packed_len, unpack};
pub use conversion::BaseConversion;
pub use division::Division;
#[cfg(feature = "conformance")]
pub use kernel::conformance;
pub use kernel::{Kernel, kernel_for, kernels_for};
pub use modulus::{Factor, Modulus};
pub use parallel::{both, for_each_limb, for_each_pair, for_each_piece, map_each, with_scratch};
pub use poly::{Basis, Poly};
pub use rns::{Ring, RingError};
pub use sampling::{Seed, Xof};
