//! Text that goes on: what is printed is what the clear model would have said, and Ctrl-C frees the server.

mod common;

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use client::{Prompt, Sampler};
use common::{Small, cipherformer, start, watched::Watched};
use tokenizer::Ending;

/// How soon the server must be free.
const PATIENCE: Duration = Duration::from_secs(2);

fn server() -> (&'static Small, &'static str) {
    static SERVER: OnceLock<(Small, String)> = OnceLock::new();
    let (small, address) = SERVER.get_or_init(|| {
        let small = Small::new();
        let address = start(vec![small.engine()]);
        (small, address)
    });
    (small, address)
}

struct Said {
    text: String,
    notes: String,
}

fn complete(address: &str, prompt: &str, arguments: &[&str]) -> Said {
    let output = cipherformer()
        .args(["complete", prompt, "--server", address])
        .args(arguments)
        .output()
        .unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    let text = String::from_utf8(output.stdout).unwrap();
    Said { text, notes }
}

/// What the clear model says.
fn expected(small: &Small, prompt: &str, tokens: usize, mut sampler: Sampler) -> String {
    let mut ids = small.tokenizer.encode(prompt).unwrap();
    let before = ids.len();
    for _ in 0..tokens {
        let window = Prompt::new(&ids, 64, 0);
        let hidden = small.lm.hidden(&small.embedding.rows(&window.ids).unwrap());
        let logits = small.embedding.logits(&hidden.to_vec()).unwrap();
        ids.push(sampler.pick(&logits).unwrap());
    }
    let text = small
        .tokenizer
        .decode(&ids[before..], Ending::Closed)
        .unwrap();
    let printed = text
        .chars()
        .filter(|&letter| !letter.is_control() || "\n\t".contains(letter));
    printed.chain(['\n']).collect()
}

#[test]
fn the_text_is_that_of_the_clear_model_under_the_same_seed() {
    let (small, address) = server();
    let prompt = "the other one \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f600}";
    let settings = [
        "--tokens",
        "3",
        "--temperature",
        "0.9",
        "--top-k",
        "50",
        "--seed",
        "5",
    ];
    let said = complete(address, prompt, &settings);
    let sampler = Sampler::new(0.9, 50, 5).unwrap();
    assert_eq!(said.text, expected(small, prompt, 3, sampler));
    let used = small.tokenizer.encode(prompt).unwrap().len();
    assert!(
        said.notes.contains(&format!("prompt: {used} of 64 tokens")),
        "{}",
        said.notes
    );
    assert!(
        said.notes.contains("token 3 of 3") && said.notes.contains("3 tokens, "),
        "{}",
        said.notes
    );
    assert!(!said.notes.contains("seed"), "{}", said.notes);
}

#[test]
fn no_prompt_begins_a_text_and_a_long_one_is_cut_with_a_word() {
    let (small, address) = server();
    let greedy = || Sampler::new(0.0, 0, 0).unwrap();
    let said = complete(address, "", &["--tokens", "1", "--temperature", "0"]);
    assert_eq!(said.text, expected(small, "", 1, greedy()));
    assert!(said.notes.starts_with("no prompt: "), "{}", said.notes);

    let long = format!("{}zebra{}", "a".repeat(50), "b".repeat(63));
    let said = complete(address, &long, &["--tokens", "1", "--temperature", "0"]);
    assert_eq!(said.text, expected(small, &long, 1, greedy()));
    let note = "the prompt has 118 tokens, the model sees the last 64, from \"abbb";
    assert!(said.notes.starts_with(note), "{}", said.notes);
}

#[test]
fn a_drawn_seed_is_shown() {
    let (small, address) = server();
    let said = complete(address, "on", &["--tokens", "1"]);
    let seed = said
        .notes
        .lines()
        .find_map(|line| line.strip_prefix("seed "));
    let seed = seed.expect("a line with the seed").parse().unwrap();
    let sampler = Sampler::new(0.7, 40, seed).unwrap();
    assert_eq!(said.text, expected(small, "on", 1, sampler));
}

/// Completes until a line with `until` appears, then presses Ctrl-C; returns the command and what the server tells from then on.
fn interrupt(until: &str) -> (Child, mpsc::Receiver<&'static str>) {
    let (events, receiver) = mpsc::channel();
    let engine = Small::new().engine();
    let address = start(vec![Watched::telling(engine, events)]);
    let mut child = cipherformer()
        .args([
            "complete", "the", "--tokens", "50", "--seed", "1", "--server", &address,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let notes = BufReader::new(child.stderr.as_mut().unwrap());
    let reached = notes.lines().any(|line| line.unwrap().contains(until));
    assert!(reached, "it ended before {until:?}");
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    (child, receiver)
}

#[test]
fn a_stop_frees_the_server_at_once_and_leaves_the_text() {
    let (mut child, events) = interrupt("token 2 of 50");
    let start = Instant::now();
    assert_eq!(events.recv(), Ok("evaluated"), "the first token");
    assert_eq!(events.recv_timeout(PATIENCE), Ok("cancelled"));
    assert_eq!(events.recv_timeout(PATIENCE), Ok("keys dropped"));
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut text = String::new();
    child.stdout.unwrap().read_to_string(&mut text).unwrap();
    assert!(text.ends_with('\n'), "{text:?}");
}

#[test]
fn a_stop_between_keys_deletes_them() {
    let (mut child, events) = interrupt("keys");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(events.recv_timeout(PATIENCE), Ok("keys dropped"));
}

#[test]
fn prompts_and_settings_that_make_no_sense() {
    let (_, address) = server();
    let fails = |arguments: &[&OsStr], code: i32, expected: &str| {
        let output = cipherformer()
            .arg("complete")
            .args(arguments)
            .args(["--server", address])
            .output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(output.stdout.is_empty());
    };
    let [word, temperature] = ["word", "--temperature"].map(OsStr::new);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let broken = OsStr::from_bytes(b"caf\xe9 au lait");
        fails(&[broken], 1, "cipherformer: the prompt is no UTF-8 text");
    }
    for (value, sentence) in [
        ("-1", "the temperature is -1"),
        ("NaN", "the temperature is NaN"),
        ("inf", "the temperature is inf"),
    ] {
        fails(&[word, temperature, OsStr::new(value)], 1, sentence);
    }
    fails(&[], 2, "Usage");
    fails(
        &[word, OsStr::new("--tokens"), OsStr::new("0")],
        2,
        "--tokens",
    );
    let other = ["--model", "other"].map(OsStr::new);
    fails(
        &[word, other[0], other[1]],
        4,
        "This server has no such model",
    );
}
