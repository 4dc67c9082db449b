//! A tokenizer of the 256 bytes and a few merges, as `tokenizer.json`.

/// Tokens of [`small`]: the pad, the bytes, the merges.
pub const VOCABULARY: usize = 1 + 256 + MERGES.len();

const MERGES: [(&str, &str); 9] = [
    ("t", "h"),
    ("th", "e"),
    ("Ġ", "the"),
    ("i", "n"),
    ("Ġ", "a"),
    ("e", "r"),
    ("o", "n"),
    ("Ã", "©"),
    ("ð", "Ł"),
];

/// The file.
pub fn small() -> String {
    let bytes = (0..=255u8).map(|byte| letter(byte).to_string());
    let merged = MERGES.iter().map(|(a, b)| format!("{a}{b}"));
    let vocabulary: Vec<_> = std::iter::once("<|pad|>".to_owned())
        .chain(bytes)
        .chain(merged)
        .enumerate()
        .map(|(id, token)| format!("{}:{id}", quoted(&token)))
        .collect();
    let merges: Vec<_> = MERGES
        .iter()
        .map(|(a, b)| format!("[{},{}]", quoted(a), quoted(b)))
        .collect();
    let (vocabulary, merges) = (vocabulary.join(","), merges.join(","));
    format!(
        r#"{{"version":"1.0","truncation":null,"padding":null,
"added_tokens":[{{"id":0,"content":"<|pad|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}],
"normalizer":null,
"pre_tokenizer":{{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}},
"post_processor":null,
"decoder":{{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}},
"model":{{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{{{vocabulary}}},"merges":[{merges}]}}}}"#
    )
}

// The alphabet of byte-level BPE: printable bytes stand for themselves, the others for characters from U+0100 on.
fn letter(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&other| !printable(other)).count();
    char::from_u32(0x100 + before as u32).unwrap()
}

fn quoted(token: &str) -> String {
    format!("\"{}\"", token.replace('\\', "\\\\").replace('"', "\\\""))
}
