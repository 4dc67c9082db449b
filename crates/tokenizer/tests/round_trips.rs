//! Every text survives, whole and as it grows; files that would not let it are refused.

mod common;

use std::path::Path;

use common::{VOCABULARY, small};
use tokenizer::{Ending, Tokenizer, TokenizerError};

const TEXTS: [&str; 13] = [
    "",
    " ",
    "in the other one",
    "  two  spaces\n\nand\tlines \r\n",
    "don't <|pad|> special tokens are text",
    "caf\u{e9} cafe\u{301} \u{1e9e}\u{df}",
    "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466} family, \u{1f3f3}\u{fe0f}\u{200d}\u{1f308} flag, \u{1f44d}\u{1f3fd}",
    "\u{5e9}\u{5c1}\u{5b8}\u{5dc}\u{5d5}\u{5b9}\u{5dd} \u{5e2}\u{5d5}\u{5dc}\u{5dd}",
    "\u{645}\u{631}\u{62d}\u{628}\u{627} \u{628}\u{627}\u{644}\u{639}\u{627}\u{644}\u{645} \u{202b}mixed\u{202c} \u{661}\u{662}\u{663}",
    "\u{6f22}\u{5b57}\u{3068}\u{304b}\u{306a}\u{3001}\u{d55c}\u{ae00}",
    "\0\u{1}\u{7f}\u{85}\u{a0}\u{ad}\u{fffd}\u{ffff}",
    "\u{10ffff}\u{10000}\u{feff}",
    "\\\"quotes\\\" \u{120}\u{122} letters of the byte alphabet",
];

fn tokenizer() -> Tokenizer {
    Tokenizer::new(small().as_bytes(), VOCABULARY).unwrap()
}

// The released tokenizer, where the model is there.
fn released() -> Option<Tokenizer> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/wiki-lm/tokenizer.json");
    let json = std::fs::read(path).ok()?;
    Some(Tokenizer::new(&json, 4096).unwrap())
}

#[test]
fn texts_come_back() {
    for tokenizer in [Some(tokenizer()), released()].into_iter().flatten() {
        for text in TEXTS {
            let ids = tokenizer.encode(text).unwrap();
            assert_eq!(tokenizer.decode(&ids, Ending::Closed).unwrap(), text);
            assert!(!ids.contains(&0), "{text:?} became a special token");
        }
        let long = TEXTS.concat().repeat(200);
        let ids = tokenizer.encode(&long).unwrap();
        assert!(ids.len() < long.len());
        assert_eq!(tokenizer.decode(&ids, Ending::Closed).unwrap(), long);
    }
}

#[test]
fn text_that_grows_never_shows_half_a_code_point_and_takes_nothing_back() {
    for tokenizer in [Some(tokenizer()), released()].into_iter().flatten() {
        for text in TEXTS.iter().filter(|text| !text.contains('\u{fffd}')) {
            let ids = tokenizer.encode(text).unwrap();
            let mut shown = String::new();
            for count in 0..=ids.len() {
                let now = tokenizer.decode(&ids[..count], Ending::Open).unwrap();
                assert!(now.starts_with(&shown), "{shown:?} became {now:?}");
                assert!(text.starts_with(&now), "{now:?} is no part of {text:?}");
                shown = now;
            }
            assert_eq!(shown, *text);
        }
    }
}

// A model may say anything: bytes that are no UTF-8 are replaced, and what was shown stays.
#[test]
fn tokens_that_are_no_text_do_no_harm() {
    let tokenizer = tokenizer();
    let byte = |byte: u8| 1 + u32::from(byte);
    let ids = [
        byte(0xe2),
        byte(0x82),
        byte(b'a'),
        byte(0xff),
        byte(0xff),
        0,
        byte(0xf0),
        byte(0x9f),
        byte(0x98),
        byte(0x80),
        byte(0x80),
        byte(0xc3),
        99_999,
        u32::MAX,
        byte(0xa9),
        byte(0xe2),
        byte(0x82),
    ];
    let mut shown = String::new();
    for count in 0..=ids.len() {
        let now = tokenizer.decode(&ids[..count], Ending::Open).unwrap();
        assert!(now.starts_with(&shown), "{shown:?} became {now:?}");
        shown = now;
    }
    assert_eq!(shown, "\u{fffd}a\u{fffd}\u{fffd}\u{1f600}\u{fffd}\u{e9}");
    let closed = tokenizer.decode(&ids, Ending::Closed).unwrap();
    assert_eq!(closed, format!("{shown}\u{fffd}"));
}

#[test]
fn tokenizers_that_lose_something_are_refused() {
    let sound = small();
    let changes = [
        (r#""add_prefix_space":false"#, r#""add_prefix_space":true"#),
        (
            r#""normalizer":null"#,
            r#""normalizer":{"type":"Lowercase"}"#,
        ),
        (r#""dropout":null"#, r#""dropout":0.5"#),
        (
            r#""end_of_word_suffix":null"#,
            r#""end_of_word_suffix":"_""#,
        ),
        (
            r#""truncation":null"#,
            r#""truncation":{"direction":"Right","max_length":8,"strategy":"LongestFirst","stride":0}"#,
        ),
        (
            r#""decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}"#,
            r#""decoder":null"#,
        ),
        (
            r#""pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#,
            r#""pre_tokenizer":{"type":"Whitespace"}"#,
        ),
        ("\"<|pad|>\":0,\"\u{100}\"", "\"<|pad|>\":0,\"zero\""),
    ];
    for (from, to) in changes {
        let changed = sound.replacen(from, to, 1);
        assert_ne!(changed, sound, "{from} is not there");
        let refused = Tokenizer::new(changed.as_bytes(), VOCABULARY).map(drop);
        let kind = |error: TokenizerError| match error {
            TokenizerError::Unsupported(_) | TokenizerError::Unreadable(_) => None,
            other => Some(other),
        };
        assert_eq!(refused.map_err(kind), Err(None), "{to}");
    }
    for vocabulary in [0, VOCABULARY - 1, VOCABULARY + 1] {
        let refused = Tokenizer::new(sound.as_bytes(), vocabulary).map(drop);
        assert!(matches!(refused, Err(TokenizerError::Vocabulary { .. })));
    }
    let moved = sound.replacen("\"!\":34", "\"!\":9034", 1);
    assert_ne!(moved, sound);
    assert!(Tokenizer::new(moved.as_bytes(), VOCABULARY).is_err());
}

// Special tokens are left out of the text: a file may declare a byte to be one.
#[test]
fn a_tokenizer_that_loses_a_byte_says_so() {
    let sound = small();
    let pad = r#"{"id":0,"content":"<|pad|>""#;
    let space = r#"{"id":33,"content":"Ġ","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},"#;
    let changed = sound.replacen(pad, &format!("{space}{pad}"), 1);
    assert_ne!(changed, sound);
    let tokenizer = Tokenizer::new(changed.as_bytes(), VOCABULARY).unwrap();
    assert!(tokenizer.encode("inner").is_ok());
    assert_eq!(tokenizer.encode("in er"), Err(TokenizerError::Lossy));
}

#[test]
fn files_that_are_no_tokenizer_are_refused() {
    let sound = small();
    for text in [
        "",
        "{}",
        "null",
        "[1]",
        &sound[..sound.len() / 2],
        r#"{"version":"1.0","model":{"type":"BPE"}}"#,
    ] {
        let refused = Tokenizer::new(text.as_bytes(), VOCABULARY).map(drop);
        assert!(refused.is_err(), "{text:.40}");
    }
    assert!(Tokenizer::new(b"\xff\xfe", VOCABULARY).is_err());
    let long = vec![b' '; tokenizer::FILE_LIMIT + 1];
    assert!(matches!(
        Tokenizer::new(&long, 1),
        Err(TokenizerError::TooLong(_))
    ));
}
