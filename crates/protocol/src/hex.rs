//! Byte strings of fixed length that travel as lower-case hexadecimal digits.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// `N` bytes, written as `2 N` lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// A BLAKE3 digest.
pub type Digest = Hex<32>;

/// Identifier of a key set or an inference. Whoever knows it may use it.
pub type Capability = Hex<16>;

/// Text that is not the hexadecimal form of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not {0} lower-case hexadecimal digits")]
pub struct HexError(usize);

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        let wrong = HexError(2 * N);
        if text.len() != 2 * N {
            return Err(wrong);
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(wrong),
        };
        let mut bytes = [0; N];
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;

        impl<const N: usize> de::Visitor<'_> for Visitor<N> {
            type Value = Hex<N>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{} lower-case hexadecimal digits", 2 * N)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(feature = "openapi")]
impl<const N: usize> utoipa::PartialSchema for Hex<N> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(format!("^[0-9a-f]{{{}}}$", 2 * N)))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl<const N: usize> utoipa::ToSchema for Hex<N> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Hex{N}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let hex = Hex([0x00, 0x1f, 0xab, 0xff]);
        assert_eq!(hex.to_string(), "001fabff");
        assert_eq!("001fabff".parse(), Ok(hex));
        assert_eq!(serde_json::to_string(&hex).unwrap(), "\"001fabff\"");
        assert_eq!(serde_json::from_str::<Hex<4>>("\"001fabff\"").unwrap(), hex);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "001fabf",
            "001fabff0",
            "001FABFF",
            "001fabfg",
            "+01fabff",
            "é1fabff",
            "\u{3b1}\u{3b1}\u{3b1}\u{3b1}",
        ] {
            assert!(text.parse::<Hex<4>>().is_err(), "{text}");
        }
    }
}
