use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::{IsTerminal, Write, stdout},
    time::Instant,
};

use client::{Prompt, Sampler};
use protocol::manifest::TaskKind;
use serde::Serialize;
use tokenizer::{Ending, Tokenizer};

use crate::{
    CliError, Stop, arguments::Complete, http::Api, keys::KeyRing, language::Language,
    progress::Ticker, remote::Remote, report::print,
};

/// Drawn seeds are below this: short enough to be typed again.
const DRAWN_SEEDS: u64 = 1_000_000;

/// Letters of a text that are shown to tell what is kept of it.
const EXCERPT: usize = 30;

/// What is printed with `--json`.
#[derive(Serialize)]
struct Report {
    model: String,
    /// The new text, without the prompt.
    text: String,
    tokens: u64,
    prompt_tokens: usize,
    /// Tokens of the prompt that were too many for the model's window.
    prompt_tokens_dropped: usize,
    seed: u64,
    seconds_per_token: f64,
}

/// Continues a prompt and prints each token as soon as it is there.
pub fn run(arguments: &Complete, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    let prompt = arguments.prompt.to_str().ok_or(CliError::PromptEncoding)?;
    let seed = arguments.seed.unwrap_or_else(draw_seed);
    let mut sampler = Sampler::new(arguments.temperature, arguments.top_k, seed)?;
    let api = Api::new(&arguments.server.server, stop);
    let manifest = api.model(arguments.model.as_deref(), TaskKind::Complete)?;
    let keys = KeyRing::open(&api, &manifest, arguments.keep_keys)?;
    let language = Language::download(&api, &keys.session)?;
    let mut ids = language.tokenizer.encode(prompt)?;
    let window = keys.session.prompt(&ids)?;
    eprintln!("{}", describe(&window, &language.tokenizer)?);
    if arguments.seed.is_none() && arguments.temperature > 0.0 {
        eprintln!("seed {seed}");
    }
    let remote = Remote::connect(api, keys, stop)?;
    let mut text = Text::new(&language.tokenizer, ids.len());
    let mut collected = Vec::new();
    let sink: &mut dyn Write = if arguments.json {
        &mut collected
    } else {
        &mut *out
    };
    let start = Instant::now();
    let added = extend(arguments.tokens, &mut ids, &mut text, sink, |ids, stage| {
        let logits = next(&remote, &language, ids, stage, arguments.json)?;
        sampler.pick(&logits).ok_or_else(no_number)
    });
    let seconds_per_token = start.elapsed().as_secs_f64() / arguments.tokens as f64;
    text.finish(&ids, sink)?;
    added?;
    eprintln!("{} tokens, {seconds_per_token:.1} s each", arguments.tokens);
    if arguments.json {
        let text = String::from_utf8_lossy(&collected);
        let report = Report {
            model: manifest.model,
            text: text.strip_suffix('\n').unwrap_or(&text).to_owned(),
            tokens: arguments.tokens,
            prompt_tokens: window.used,
            prompt_tokens_dropped: window.dropped,
            seed,
            seconds_per_token,
        };
        print(&report, out)?;
    }
    Ok(())
}

/// Adds tokens, each shown as soon as it is there.
fn extend(
    tokens: u64,
    ids: &mut Vec<u32>,
    text: &mut Text<'_>,
    out: &mut dyn Write,
    mut choose: impl FnMut(&[u32], &str) -> Result<u32, CliError>,
) -> Result<(), CliError> {
    for index in 1..=tokens {
        ids.push(choose(ids, &format!("token {index} of {tokens}"))?);
        text.show(ids, Ending::Open, out)?;
    }
    Ok(())
}

fn next(
    remote: &Remote,
    language: &Language,
    ids: &[u32],
    stage: &str,
    silent_text: bool,
) -> Result<Vec<f32>, CliError> {
    // On one terminal the bar would wipe out the text.
    let mut ticker = (silent_text || !stdout().is_terminal()).then(Ticker::default);
    remote.next(&language.embedding, ids, &mut |progress| {
        if let Some(ticker) = &mut ticker {
            ticker.progress_of(stage, progress);
        }
    })
}

/// What the model sees of the prompt.
fn describe(prompt: &Prompt, tokenizer: &Tokenizer) -> Result<String, CliError> {
    let (used, window) = (prompt.used, prompt.ids.len());
    if used == 0 {
        return Ok("no prompt: the model begins a text of its own".to_owned());
    }
    if prompt.dropped == 0 {
        return Ok(format!("prompt: {used} of {window} tokens"));
    }
    let kept = tokenizer.decode(&prompt.ids, Ending::Closed)?;
    let kept: String = printable(&kept).chars().take(EXCERPT).collect();
    Ok(format!(
        "the prompt has {} tokens, the model sees the last {window}, from {kept:?}",
        used + prompt.dropped
    ))
}

/// The generated text, as far as it is shown.
struct Text<'a> {
    tokenizer: &'a Tokenizer,
    prompt: usize,
    shown: usize,
}

impl<'a> Text<'a> {
    fn new(tokenizer: &'a Tokenizer, prompt: usize) -> Self {
        Self {
            tokenizer,
            prompt,
            shown: 0,
        }
    }

    fn show(&mut self, ids: &[u32], ending: Ending, out: &mut dyn Write) -> Result<(), CliError> {
        let generated = ids.get(self.prompt..).unwrap_or_default();
        let text = self.tokenizer.decode(generated, ending)?;
        let new = text.get(self.shown..).unwrap_or_default();
        write!(out, "{}", printable(new))?;
        out.flush()?;
        self.shown = text.len();
        Ok(())
    }

    fn finish(&mut self, ids: &[u32], out: &mut dyn Write) -> Result<(), CliError> {
        self.show(ids, Ending::Closed, out)?;
        writeln!(out)?;
        Ok(())
    }
}

/// The server made the vocabulary and may choose the tokens: it must not be able to write control sequences to the terminal.
fn printable(text: &str) -> String {
    let harmless = |&letter: &char| !letter.is_control() || letter == '\n' || letter == '\t';
    text.chars().filter(harmless).collect()
}

fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish() % DRAWN_SEEDS
}

fn no_number() -> CliError {
    CliError::Protocol("it holds no usable number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_server_moves_no_cursor() {
        assert_eq!(
            printable("a\u{1b}[2J\tb\r\n\u{9b}c\u{7}\u{5e9}\u{1f600}"),
            "a[2J\tb\nc\u{5e9}\u{1f600}"
        );
    }

    #[test]
    fn drawn_seeds_differ_and_are_short() {
        let seeds: Vec<_> = (0..8).map(|_| draw_seed()).collect();
        assert!(seeds.iter().all(|&seed| seed < DRAWN_SEEDS));
        assert!(seeds.iter().any(|&seed| seed != seeds[0]));
    }
}
