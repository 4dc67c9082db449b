//! Messages that live in a subring leave half of a fresh ciphertext at home: the receiver takes the trace, which needs half of `c_0`.

use serde::{Deserialize, Serialize};

/// Where a message lives. With anything but [`Subring::Full`] the receiver takes the trace before anything else, which doubles the
/// message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subring {
    /// All slots, complex.
    Full,
    /// Half of the slots, complex: polynomials in `X^2`. The trace is `c + rotate(c, N/4)`.
    Even,
    /// All slots, real: polynomials fixed by `X -> 1/X`. The trace is `c + conjugate(c)`.
    Real,
}

impl Subring {
    /// How many of `degree` coefficients are sent.
    pub fn sent(self, degree: usize) -> usize {
        match self {
            Self::Full => degree,
            Self::Even | Self::Real => degree / 2,
        }
    }

    /// Which of `degree` coefficients are sent.
    pub(crate) fn positions(self, degree: usize) -> impl Iterator<Item = usize> {
        let step = if self == Self::Even { 2 } else { 1 };
        (0..self.sent(degree) * step).step_by(step)
    }

    /// Replaces `c_0` by what is sent of it: some `b` with `Tr(b) = Tr(c_0)`, zero outside of [`Subring::positions`].
    #[cfg(feature = "secret-key")]
    pub(crate) fn fold(self, modulus: ring::Modulus, limb: &mut [u32]) {
        match self {
            Self::Full => {}
            Self::Even => limb.iter_mut().skip(1).step_by(2).for_each(|c| *c = 0),
            Self::Real => {
                // X^k and X^(N-k) = -X^(-k) have opposite traces; that of X^(N/2) is zero.
                let half = limb.len() / 2;
                let (low, high) = limb.split_at_mut(half);
                for (a, b) in low[1..].iter_mut().zip(high.iter_mut().skip(1).rev()) {
                    *a = modulus.sub(*a, *b);
                    *b = 0;
                }
                high[0] = 0;
            }
        }
    }
}
