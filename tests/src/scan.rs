//! Looking for secrets in bytes that left the browser.

use std::collections::HashMap;

/// What is looked for, each piece under a name.
#[derive(Debug, Default)]
pub struct Scanner {
    // Needles of one length share one table of rolling hashes.
    tables: HashMap<usize, Table>,
}

#[derive(Debug, Default)]
struct Table {
    needles: HashMap<u64, Vec<(String, Vec<u8>)>>,
    // Whether a needle's hash has these top bits: a hundred megabytes of keys must not pay for a map look-up per byte.
    tops: Vec<bool>,
}

/// Base of the rolling hash; odd, so no byte of the window drops out of the product.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

impl Scanner {
    /// A scanner that finds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for `bytes` as a whole, and for their hexadecimal and base64 forms.
    pub fn add_whole(&mut self, name: &str, bytes: &[u8]) {
        self.add(name, bytes);
        self.add(
            &format!("{name}, hexadecimal"),
            hexadecimal(bytes).as_bytes(),
        );
        // Base64 depends on where the bytes begin in a group of three: the inner digits of each of the three.
        for skip in 0..3 {
            let text = base64(bytes.get(skip..).unwrap_or(&[]));
            self.add(&format!("{name}, base64"), text.as_bytes());
        }
    }

    /// Looks for every window of `length` bytes of `bytes` and of its base64 forms, whatever surrounds it.
    pub fn add_text_and_windows(&mut self, name: &str, bytes: &[u8], length: usize) {
        self.add_windows(name, bytes, length);
        for skip in 0..3 {
            let text = base64(bytes.get(skip..).unwrap_or(&[]));
            self.add_windows(&format!("{name}, base64"), text.as_bytes(), length);
        }
    }

    /// Looks for every window of `length` bytes of `text` as programs write text down: UTF-8, UTF-16, percent-encoded, escaped
    /// as in JSON, and UTF-8 in base64 and hexadecimal.
    pub fn add_words(&mut self, name: &str, text: &str, length: usize) {
        self.add_text_and_windows(name, text.as_bytes(), length);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (form, bytes) in [
            ("UTF-16", utf16),
            ("hexadecimal", hexadecimal(text.as_bytes()).into_bytes()),
            ("percent-encoded", percent(text, "%20").into_bytes()),
            ("as a form's value", percent(text, "+").into_bytes()),
            ("escaped", escaped(text).into_bytes()),
        ] {
            self.add_windows(&format!("{name}, {form}"), &bytes, length);
        }
    }

    /// Looks for `count` successive ones of `ids` as programs write numbers down: little endian in 16 or 32 bits, and decimal with the
    /// usual separators.
    pub fn add_numbers(&mut self, name: &str, ids: &[u32], count: usize) {
        for run in ids.windows(count) {
            let wide: Vec<u8> = run.iter().flat_map(|id| id.to_le_bytes()).collect();
            let narrow: Vec<u8> = run
                .iter()
                .filter_map(|&id| u16::try_from(id).ok())
                .flat_map(u16::to_le_bytes)
                .collect();
            let decimal: Vec<String> = run.iter().map(u32::to_string).collect();
            self.add_whole(&format!("{name}, 32 bits"), &wide);
            self.add_whole(&format!("{name}, 16 bits"), &narrow);
            for separator in [",", ", ", " ", "%2C"] {
                self.add(
                    &format!("{name}, decimal"),
                    decimal.join(separator).as_bytes(),
                );
            }
        }
    }

    /// Looks for every window of `length` bytes of `bytes`, whatever surrounds it.
    pub fn add_windows(&mut self, name: &str, bytes: &[u8], length: usize) {
        for (offset, window) in bytes.windows(length).enumerate() {
            self.add(
                &format!("{name}, bytes {offset} to {}", offset + length),
                window,
            );
        }
    }

    fn add(&mut self, name: &str, needle: &[u8]) {
        if !needle.is_empty() {
            let table = self.tables.entry(needle.len()).or_default();
            let hash = hash(needle);
            table.tops.resize(1 << 16, false);
            if let Some(seen) = table.tops.get_mut(top(hash)) {
                *seen = true;
            }
            table
                .needles
                .entry(hash)
                .or_default()
                .push((name.to_owned(), needle.to_vec()));
        }
    }

    /// The names of everything found in `haystack`, one for each length of needle.
    pub fn find(&self, haystack: &[u8]) -> Vec<String> {
        self.tables
            .iter()
            .filter_map(|(&length, table)| find(table, haystack, length))
            .collect()
    }
}

fn find(table: &Table, haystack: &[u8], length: usize) -> Option<String> {
    let leaving = (1..length).fold(1u64, |power, _| power.wrapping_mul(BASE));
    let mut rolling = hash(haystack.get(..length)?);
    let mut windows = haystack.windows(length).peekable();
    while let Some(window) = windows.next() {
        if table.tops.get(top(rolling)) == Some(&true) {
            let candidates = table
                .needles
                .get(&rolling)
                .map(Vec::as_slice)
                .unwrap_or_default();
            if let Some((name, _)) = candidates.iter().find(|(_, needle)| needle == window) {
                return Some(name.clone());
            }
        }
        if let (Some(first), Some(last)) =
            (window.first(), windows.peek().and_then(|next| next.last()))
        {
            let rest = rolling.wrapping_sub(digit(*first).wrapping_mul(leaving));
            rolling = rest.wrapping_mul(BASE).wrapping_add(digit(*last));
        }
    }
    None
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, &byte| {
        sum.wrapping_mul(BASE).wrapping_add(digit(byte))
    })
}

fn top(hash: u64) -> usize {
    usize::try_from(hash >> 48).unwrap_or(0)
}

fn digit(byte: u8) -> u64 {
    u64::from(byte) + 1
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `text` in an address, with `space` for its spaces.
fn percent(text: &str, space: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => space.to_owned(),
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// `text` in JSON, with everything but ASCII escaped.
fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}

/// The base64 digits of `bytes` that do not depend on what follows them.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.as_chunks::<3>().0;
    let digits = groups.iter().flat_map(|&[a, b, c]| {
        let group = u32::from_be_bytes([0, a, b, c]);
        [18, 12, 6, 0].map(|shift| usize::try_from(group >> shift & 63).unwrap_or(0))
    });
    digits
        .filter_map(|digit| DIGITS.get(digit))
        .map(|&digit| char::from(digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn a_window_is_found_wherever_it_lies() {
        let secret = b"a secret of which no piece of sixteen bytes may leave the browser";
        let mut scanner = Scanner::new();
        scanner.add_windows("secret", secret, 16);
        for at in [0, 1, 777, 4079] {
            let mut body = noise(4096);
            assert_eq!(scanner.find(&body), Vec::<String>::new());
            body.splice(at..at + 16, secret.iter().copied().skip(30).take(16));
            assert_eq!(scanner.find(&body), ["secret, bytes 30 to 46"], "at {at}");
        }
    }

    #[test]
    fn one_byte_less_is_not_a_window() {
        let secret = noise(100);
        let mut scanner = Scanner::new();
        scanner.add_windows("secret", &secret, 16);
        assert!(scanner.find(&secret[40..55]).is_empty());
        assert!(!scanner.find(&secret[40..56]).is_empty());
    }

    #[test]
    fn written_as_text_it_is_found_too() {
        let seed: Vec<u8> = (100..132).collect();
        let mut scanner = Scanner::new();
        scanner.add_whole("seed", &seed);
        let json = format!("{{\"seed\":\"{}\"}}", hexadecimal(&seed));
        assert_eq!(scanner.find(json.as_bytes()), ["seed, hexadecimal"]);
        for before in 0..3 {
            let body = [&vec![b'x'; before][..], &seed, b"tail"].concat();
            let text = base64(&[&body[..], b"\0\0"].concat());
            assert_eq!(
                scanner.find(text.as_bytes()),
                ["seed, base64"],
                "{before} bytes before"
            );
        }
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        let text = "Zoë's owl 🦉 flies over the lake";
        let mut scanner = Scanner::new();
        scanner.add_words("words", text, 10);
        for written in [
            "{\"text\":\"… 🦉 flies over\"}",
            "/search?q=Zo%C3%AB%27s%20owl",
            "q=flies+over+the",
            r#"{"text":"Zo\u00eb's owl"}"#,
            "owl \\ud83e\\udd89 flies",
            &hexadecimal(b"flies over"),
            &base64(b"xflies over the lake"),
        ] {
            assert!(!scanner.find(written.as_bytes()).is_empty(), "{written}");
        }
        let utf16: Vec<u8> = "owl fl".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(scanner.find(&utf16).is_empty(), "the owl is missing");
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(!scanner.find(&utf16[8..40]).is_empty());
        assert!(scanner.find(b"flies ove").is_empty());
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        let mut scanner = Scanner::new();
        scanner.add_numbers("ids", &[7, 3001, 42, 4095], 3);
        for written in ["[7,3001,42]", "3001, 42, 4095", "7 3001 42"] {
            assert!(!scanner.find(written.as_bytes()).is_empty(), "{written}");
        }
        assert!(!scanner.find(&[7, 0, 0xb9, 0x0b, 42, 0]).is_empty());
        assert!(!scanner.find(b"0700b90b2a00").is_empty());
        assert!(scanner.find(b"[3001,42,7]").is_empty());
    }

    #[test]
    fn bodies_shorter_than_the_needle_hold_nothing() {
        let mut scanner = Scanner::new();
        scanner.add_whole("seed", &[7; 32]);
        assert!(scanner.find(b"").is_empty());
        assert!(scanner.find(&[7; 31]).is_empty());
    }
}
