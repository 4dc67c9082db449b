//! What the client knows of its own tokens without any network: which one followed the last time that the present ones occurred.
//!
//! A square of scores cannot pick one key of sixty as softmax does; the client can, in the clear, before it encrypts.

/// The longest run of tokens that is looked for.
pub(super) const ORDERS: usize = 2;

/// The token after the latest earlier occurrence of the last `order` tokens of `tokens`, or none.
pub(super) fn follower(tokens: &[u32], order: usize) -> Option<u32> {
    let (_, past) = tokens.split_last()?;
    let recent = &tokens[tokens.len().checked_sub(order)?..];
    let start = past.windows(order).rposition(|run| run == recent)?;
    tokens.get(start + order).copied()
}

#[cfg(test)]
mod tests {
    use super::follower;

    #[test]
    fn the_latest_earlier_occurrence_counts() {
        let tokens = [7, 1, 2, 1, 3, 1];
        assert_eq!(follower(&tokens, 1), Some(3));
        assert_eq!(follower(&tokens, 2), None);
        assert_eq!(follower(&[5, 1, 2, 5, 1, 3, 5, 1], 2), Some(3));
        // The occurrence may end right before, or overlap.
        assert_eq!(follower(&[4, 4], 1), Some(4));
        assert_eq!(follower(&[4, 4, 4], 2), Some(4));
        assert_eq!(follower(&[4, 4], 2), None);
        assert_eq!(follower(&[4], 1), None);
        assert_eq!(follower(&[], 1), None);
    }
}
