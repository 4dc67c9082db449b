//! How far an encrypted evaluation is from the same model in the clear. The numbers say something about the secret key's
//! noise (IND-CPA-D), so they are for the eyes of the key's owner only.

use crate::ClientError;

/// A decrypted answer beside the clear model's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Largest difference of a value.
    pub largest: f32,
    /// From the smallest to the largest value of the clear answer.
    pub range: f32,
    /// log2 of `range` over `largest`; infinite when nothing differs.
    pub bits: f32,
    /// Whether both have their largest value in the same place.
    pub same_best: bool,
}

/// Compares an answer with the clear model's.
///
/// # Errors
/// [`ClientError::Incomparable`] when they have no or another number of values, or some that are no numbers.
pub fn compare(answer: &[f32], clear: &[f32]) -> Result<Comparison, ClientError> {
    let usable = |values: &[f32]| values.iter().all(|value| value.is_finite());
    if answer.len() != clear.len() || !usable(answer) || !usable(clear) {
        return Err(ClientError::Incomparable(answer.len(), clear.len()));
    }
    let (Some(found), Some(wanted)) = (best(answer), best(clear)) else {
        return Err(ClientError::Incomparable(0, 0));
    };
    let differences = answer.iter().zip(clear).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f32::max);
    let smallest = clear.iter().copied().fold(f32::INFINITY, f32::min);
    let range = clear.iter().copied().fold(f32::NEG_INFINITY, f32::max) - smallest;
    Ok(Comparison {
        largest,
        range,
        bits: (range / largest).log2(),
        same_best: found == wanted,
    })
}

fn best(values: &[f32]) -> Option<usize> {
    let (index, _) = values
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_measured_against_the_clear_range() {
        let same = compare(&[1.0, 5.0, -3.0], &[1.0, 5.0, -3.0]).unwrap();
        assert_eq!((same.largest, same.range), (0.0, 8.0));
        assert!(same.same_best && same.bits.is_infinite());
        let near = compare(&[1.25, 5.0, -3.125], &[1.0, 5.0, -3.0]).unwrap();
        assert_eq!((near.largest, near.bits, near.same_best), (0.25, 5.0, true));
        let other = compare(&[5.5, 5.0, -3.0], &[1.0, 5.0, -3.0]).unwrap();
        assert!(!other.same_best);
        assert_eq!(other.largest, 4.5);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for (answer, clear) in [
            (&[1.0][..], &[1.0, 2.0][..]),
            (&[], &[]),
            (&[f32::NAN], &[1.0]),
            (&[1.0], &[f32::INFINITY]),
        ] {
            assert!(compare(answer, clear).is_err(), "{answer:?} {clear:?}");
        }
    }
}
