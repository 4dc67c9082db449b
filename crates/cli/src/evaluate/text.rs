use std::{
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use client::model::{Embedding, Lm, Task};
use protocol::manifest::TOKENIZER;
use serde::Serialize;
use tokenizer::{Ending, Tokenizer};

use super::{comparison::Comparison, connect, model_folder, perplexity::negative_log_likelihood};
use crate::{
    CliError, Stop, arguments::Evaluate, language::Language, progress::Ticker, remote::Remote,
    report::print,
};

/// What is printed.
#[derive(Serialize)]
struct Report {
    ppl_token: f64,
    ppl_word: f64,
    tokens: usize,
    #[serde(flatten)]
    encrypted: Option<Encrypted>,
}

/// How the encrypted model compares with the clear one.
#[derive(Serialize)]
struct Encrypted {
    prompts: usize,
    agree: f64,
    top10_difference: f64,
    seconds_per_token: f64,
}

/// Measures a language model on a text.
pub fn run(
    arguments: &Evaluate,
    path: &Path,
    out: &mut dyn Write,
    stop: &Stop,
) -> Result<(), CliError> {
    let folder = model_folder(&arguments.model, Task::Complete)?;
    let lm = Lm::load(&folder)?;
    let limit = arguments.limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let text = read(path)?;
    let no_text = || CliError::NoText(path.display().to_string());
    if !arguments.encrypted {
        let shape = &lm.config.architecture;
        let json = folder.join(TOKENIZER);
        let json = fs::read(&json).map_err(CliError::read(&json))?;
        let tokenizer = Tokenizer::new(&json, shape.vocabulary)?;
        let embedding = Embedding::load(&folder, shape)?;
        let mut ids = tokenizer.encode(&text)?;
        let report = if ids.len() > limit {
            ids.truncate(limit);
            let text = tokenizer.decode(&ids, Ending::Closed)?;
            measure(&lm, &embedding, &ids, &text)?
        } else {
            measure(&lm, &embedding, &ids, &text)?
        };
        return print(&report.ok_or_else(no_text)?, out);
    }
    let prompts: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(limit)
        .collect();
    let (api, keys) = connect(arguments, &lm.config.name, &folder, stop)?;
    let language = Language::open(&folder, &keys.session)?;
    let Language {
        tokenizer,
        embedding,
    } = &language;
    let text = prompts.join("\n");
    let clear = measure(&lm, embedding, &tokenizer.encode(&text)?, &text)?.ok_or_else(no_text)?;
    let remote = Remote::connect(api, keys, stop)?;
    let (comparison, time) = compare(&lm, &language, &remote, &prompts)?;
    if arguments.record {
        comparison.record(&folder, remote.session().manifest(), None)?;
    }
    let encrypted = Some(Encrypted {
        prompts: prompts.len(),
        agree: comparison.agreement(),
        top10_difference: comparison.difference(),
        seconds_per_token: time.as_secs_f64() / prompts.len() as f64,
    });
    print(&Report { encrypted, ..clear }, out)
}

fn read(path: &Path) -> Result<String, CliError> {
    let bytes = fs::read(path).map_err(CliError::read(path))?;
    String::from_utf8(bytes).map_err(|error| CliError::TextEncoding {
        path: path.display().to_string(),
        offset: error.utf8_error().valid_up_to(),
    })
}

fn measure(
    lm: &Lm,
    embedding: &Embedding,
    ids: &[u32],
    text: &str,
) -> Result<Option<Report>, CliError> {
    let words = text.split_whitespace().count();
    if words == 0 {
        return Ok(None);
    }
    let sum = negative_log_likelihood(lm, embedding, ids)?;
    Ok(Some(Report {
        ppl_token: (sum / ids.len() as f64).exp(),
        ppl_word: (sum / words as f64).exp(),
        tokens: ids.len(),
        encrypted: None,
    }))
}

fn compare(
    lm: &Lm,
    language: &Language,
    remote: &Remote,
    prompts: &[&str],
) -> Result<(Comparison, Duration), CliError> {
    let Language {
        tokenizer,
        embedding,
    } = language;
    let (mut comparison, mut time) = (Comparison::default(), Duration::ZERO);
    let mut ticker = Ticker::default();
    for (index, prompt) in prompts.iter().enumerate() {
        let ids = tokenizer.encode(prompt)?;
        let stage = format!("prompt {} of {}", index + 1, prompts.len());
        let start = Instant::now();
        let logits = remote.next(embedding, &ids, &mut |progress| {
            ticker.progress_of(&stage, progress)
        })?;
        time += start.elapsed();
        let window = remote.session().prompt(&ids)?;
        let hidden = lm.hidden(&embedding.rows(&window.ids)?);
        comparison.add(&logits, &embedding.logits(&hidden.to_vec())?);
    }
    Ok((comparison, time))
}
