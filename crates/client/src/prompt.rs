//! A prompt as the model sees it: always exactly one window.

/// A window of tokens. Its size does not depend on the prompt's length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The window, padded on the left.
    pub ids: Vec<u32>,
    /// Tokens of the text in it.
    pub used: usize,
    /// Tokens of the text that came too early for it.
    pub dropped: usize,
}

impl Prompt {
    /// Keeps the last `window` tokens and fills up on the left with `pad`, which also stands for the start of a text:
    /// no token at all is a prompt too.
    #[must_use]
    pub fn new(ids: &[u32], window: usize, pad: u32) -> Self {
        let dropped = ids.len().saturating_sub(window);
        let kept = ids.get(dropped..).unwrap_or_default();
        let mut padded = vec![pad; window - kept.len()];
        padded.extend_from_slice(kept);
        Self {
            ids: padded,
            used: kept.len(),
            dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_fills_the_window_with_the_end_of_the_text() {
        for window in [1, 2, 7, 64] {
            for length in 0..2 * window + 3 {
                let ids: Vec<u32> = (1..=length as u32).collect();
                let prompt = Prompt::new(&ids, window, 0);
                assert_eq!(prompt.ids.len(), window);
                assert_eq!(prompt.used + prompt.dropped, length);
                assert_eq!(prompt.used, length.min(window));
                let (pads, text) = prompt.ids.split_at(window - prompt.used);
                assert!(pads.iter().all(|&id| id == 0));
                assert_eq!(text, &ids[prompt.dropped..]);
            }
        }
    }
}
