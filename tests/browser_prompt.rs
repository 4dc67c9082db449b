//! A person's visit in real Chromium, against the real server: a prompt is completed, another choice is followed, one work is
//! stopped.
//!
//! A proxy records every byte that leaves the browser. Neither the prompt nor what the model adds may be among them, as text or
//! as tokens, and the page must choose what the clear model under the same seed chooses.

use std::fs;
use std::time::{Duration, Instant};

use cipherformer_tests::axe::assert_accessible;
use cipherformer_tests::chromium::Chromium;
use cipherformer_tests::proxy::Recorded;
use cipherformer_tests::scan::hexadecimal;
use cipherformer_tests::visit::{
    MEMORY, Outcome, SEED, SOON, Visit, WORK, is_query, lines, scanner_for_seed,
};
use cipherformer_tests::workspace;
use client::{Prompt, Sampler, alternatives};
use model::{Embedding, Lm};
use serde_json::json;
use tokenizer::{Ending, Tokenizer};

const MODEL: &str = "wiki-lm";
/// Words that no page and no header holds.
const PROMPT: &str = "Zoë's owl 🦉 Quixall left the harbour of Vyndrake in the";
const OTHER: &str = "The species is found in";
const TEMPERATURE: f64 = 0.8;
const TOP_K: usize = 40;
const CHOICES: u64 = 4711;
/// Within this time the server works for the next question after a stop.
const FREE: Duration = Duration::from_secs(2);

#[test]
fn a_prompt_is_completed_and_nothing_of_it_leaves_the_browser() -> Outcome<()> {
    let reference = Reference::load()?;
    let mut visit = Visit::start("#complete")?;
    let page = &mut visit.page;
    page.wait_for(
        "document.querySelector('#complete')?.disabled === false",
        SOON,
    )?;
    arrow_keys_change_the_mode(page)?;
    long_and_empty_prompts_are_explained(page)?;
    type_prompt(page, PROMPT)?;
    let count = format!("{} of 64 tokens", reference.tokenizer.encode(PROMPT)?.len());
    page.wait_for(
        &format!("document.querySelector('#count').textContent === '{count}'"),
        SOON,
    )?;
    let before = visit.proxy.recorded();
    assert!(
        before
            .iter()
            .all(|request| request.line.starts_with("GET ") && request.body.is_empty()),
        "requests before the button was pressed: {:#?}",
        lines(&before)
    );

    let page = &mut visit.page;
    set(page, "temperature", &TEMPERATURE.to_string())?;
    set(page, "topK", &TOP_K.to_string())?;
    set(page, "seed", &CHOICES.to_string())?;
    set(page, "count", "3")?;
    let began = Instant::now();
    let three = press(page, "#complete", WORK)?;
    let text = shown_text(page)?;
    println!("{PROMPT}|{text}| after {:.1?}", began.elapsed());
    assert_eq!(three, reference.complete(PROMPT, &[], 3)?);
    assert_eq!(text, reference.tokenizer.decode(&three, Ending::Open)?);
    let prompt = page.evaluate("document.querySelector('#text .prompt').textContent")?;
    assert_eq!(prompt, PROMPT, "the prompt is shown as it was typed");

    // The likeliest token that was not picked, in place of the third.
    let ranking = alternatives(&reference.logits(PROMPT, &three[..2])?, 10, TEMPERATURE);
    let other = ranking
        .iter()
        .map(|alternative| alternative.token)
        .find(|token| *token != three[2])
        .ok_or("no alternative")?;
    set(page, "count", "1")?;
    let kept = [three[0], three[1], other];
    let four = press(page, "#alternatives li:not(.picked) button", WORK)?;
    assert_eq!(four, reference.complete(PROMPT, &kept, 4)?);
    let other_text = shown_text(page)?;

    let memory = visit.memory("#completion")?;
    assert!(memory <= MEMORY, "{memory} bytes of wasm memory");
    let page = &mut visit.page;
    for (button, result) in [("verify", "verify-result"), ("stranger", "stranger-result")] {
        page.evaluate(&format!(
            "document.querySelector('#completion .{button}').click()"
        ))?;
        page.wait_for(
            &format!("!document.querySelector('#completion .{result}').hidden"),
            SOON,
        )?;
    }
    let same =
        page.evaluate("document.querySelector('#completion .verify-result').dataset.same")?;
    assert_eq!(same, "true", "the clear model's best token is another one");
    assert_accessible(page, "with a completion")?;
    a_stop_frees_the_server(&mut visit, &reference)?;

    let recorded = visit.proxy.recorded();
    let queries = recorded.iter().filter(|request| is_query(request)).count();
    visit.assert_recorded(MODEL, queries)?;
    let mut scanner = scanner_for_seed();
    let mut hidden = vec![("half the seed", SEED[16..].to_vec())];
    for added in [&text, &other_text] {
        scanner.add_words("the text", &format!("{PROMPT}{added}"), 12);
    }
    let ids = reference.tokenizer.encode(PROMPT)?;
    scanner.add_numbers("the tokens", &[&ids[..], &three].concat(), 4);
    scanner.add_numbers("the other tokens", &[&ids[..], &four].concat(), 4);
    let rows = reference.embedding.rows(&reference.window(&ids).ids)?;
    let values: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
    scanner.add_windows("the embedded prompt", &values, 16);
    hidden.extend([
        ("a piece of the prompt", b"Quixall left".to_vec()),
        ("the prompt in an address", b"%F0%9F%A6%89%20Quix".to_vec()),
        (
            "the prompt in hexadecimal",
            hexadecimal(b"Vyndrake").into_bytes(),
        ),
        (
            "the end of the text",
            format!("{PROMPT}{text}").into_bytes()[PROMPT.len() + text.len() - 12..].to_vec(),
        ),
        (
            "tokens in JSON",
            json!([ids[3], ids[4], ids[5], ids[6]])
                .to_string()
                .into_bytes(),
        ),
        ("four embedded values", values[values.len() - 16..].to_vec()),
    ]);
    visit.assert_scanner_sees(&scanner, &hidden);
    visit.assert_nothing_left(&scanner);
    Ok(())
}

/// Stops in the middle of a token and asks for another one: the server must not be at work on the first any more.
fn a_stop_frees_the_server(visit: &mut Visit, reference: &Reference) -> Outcome<()> {
    let page = &mut visit.page;
    type_prompt(page, OTHER)?;
    set(page, "count", "30")?;
    page.evaluate("document.querySelector('#complete').click()")?;
    page.wait_for("document.querySelectorAll('.token').length >= 1", WORK)?;
    page.wait_for(COMPUTING, WORK)?;
    page.evaluate("document.querySelector('#stop').click()")?;
    page.wait_for(
        "document.querySelector('#complete-status').innerText.startsWith('Stopped')",
        FREE,
    )?;
    let found = tokens(page)?;
    assert_eq!(found, reference.complete(OTHER, &[], found.len())?);
    let recorded = visit.proxy.recorded();
    let cancelled = |request: &Recorded| {
        request.line.starts_with("DELETE ") && request.line.contains("/v1/inferences/")
    };
    assert_eq!(
        recorded.iter().filter(|request| cancelled(request)).count(),
        1
    );
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(
        visit.proxy.recorded().len(),
        recorded.len(),
        "the page asks for more after it was stopped"
    );

    let page = &mut visit.page;
    type_prompt(page, "")?;
    set(page, "count", "1")?;
    page.evaluate("document.querySelector('#complete').click()")?;
    page.wait_for(
        "document.querySelector('#complete-panel .step:nth-child(4)').dataset.state === 'done'",
        SOON,
    )?;
    let began = Instant::now();
    page.wait_for(COMPUTING, WORK)?;
    let waited = began.elapsed();
    println!("the next question waited {waited:.1?} after the stop");
    assert!(waited < FREE, "the server was busy for {waited:.1?}");
    let one = finish(page, WORK)?;
    assert_eq!(one, reference.complete("", &[], 1)?, "an empty prompt");
    Ok(())
}

/// The server is at work on a layer, not waiting to begin.
const COMPUTING: &str = "(() => { const step = document.querySelector('#complete-panel .step.server'); \
     return step.dataset.state === 'running' && step.innerText.includes('%'); })()";

fn arrow_keys_change_the_mode(page: &mut Chromium) -> Outcome<()> {
    for (key, mode) in [("ArrowLeft", "classify"), ("ArrowRight", "complete")] {
        page.evaluate(&format!(
            "(() => {{ const tab = document.querySelector('[role=tab][aria-selected=true]'); tab.focus(); \
             tab.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }})); }})()"
        ))?;
        let shown = page.evaluate(
            "[document.activeElement.id, [...document.querySelectorAll('.panel')].filter((panel) => !panel.hidden).map((panel) => panel.id).join()]",
        )?;
        assert_eq!(
            shown,
            json!([format!("tab-{mode}"), format!("{mode}-panel")])
        );
    }
    Ok(())
}

fn long_and_empty_prompts_are_explained(page: &mut Chromium) -> Outcome<()> {
    let long = "a long way to the lighthouse ".repeat(1000);
    for (text, sentence) in [
        ("", "begins a text of its own"),
        (&long[..2900], "reads only the last 64 tokens, from “"),
        (&long, "Only the last 20,000 characters were kept"),
    ] {
        type_prompt(page, text)?;
        page.wait_for(
            &format!("document.querySelector('#hint').innerText.includes('{sentence}')"),
            SOON,
        )?;
    }
    Ok(())
}

fn type_prompt(page: &mut Chromium, text: &str) -> Outcome<()> {
    change(page, "#prompt", text)
}

fn set(page: &mut Chromium, setting: &str, value: &str) -> Outcome<()> {
    change(page, &format!("#settings [name={setting}]"), value)
}

fn change(page: &mut Chromium, selector: &str, value: &str) -> Outcome<()> {
    page.evaluate(&format!(
        "(() => {{ const field = document.querySelector('{selector}'); field.value = {}; \
         field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()",
        json!(value)
    ))?;
    Ok(())
}

fn press(page: &mut Chromium, button: &str, limit: Duration) -> Outcome<Vec<u32>> {
    page.evaluate(&format!("document.querySelector('{button}').click()"))?;
    finish(page, limit)
}

fn finish(page: &mut Chromium, limit: Duration) -> Outcome<Vec<u32>> {
    page.wait_for(
        "document.querySelector('#complete-status').innerText.startsWith('Done') || !document.querySelector('#complete-failure').hidden",
        limit,
    )?;
    let failure =
        page.evaluate("document.querySelector('#complete-failure').textContent.trim()")?;
    assert_eq!(failure, "", "the page shows a failure");
    tokens(page)
}

fn tokens(page: &mut Chromium) -> Outcome<Vec<u32>> {
    let tokens = page.evaluate("document.querySelector('#completion').dataset.tokens")?;
    let tokens = tokens.as_str().unwrap_or_default().split_whitespace();
    Ok(tokens.map(str::parse).collect::<Result<_, _>>()?)
}

fn shown_text(page: &mut Chromium) -> Outcome<String> {
    let text = "[...document.querySelector('#text').childNodes].slice(1).map((node) => node.textContent).join('')";
    Ok(page.evaluate(text)?.as_str().unwrap_or_default().to_owned())
}

/// The clear model: what the page must choose.
struct Reference {
    lm: Lm,
    embedding: Embedding,
    tokenizer: Tokenizer,
}

impl Reference {
    fn load() -> Outcome<Self> {
        let folder = workspace::root().join("models").join(MODEL);
        let lm = Lm::load(&folder)?;
        let shape = lm.config.architecture;
        let embedding = Embedding::load(&folder, &shape)?;
        let tokenizer = fs::read(folder.join("tokenizer.json"))?;
        let tokenizer = Tokenizer::new(&tokenizer, shape.vocabulary)?;
        Ok(Self {
            lm,
            embedding,
            tokenizer,
        })
    }

    fn window(&self, ids: &[u32]) -> Prompt {
        let config = &self.lm.config;
        Prompt::new(ids, config.architecture.window, config.pad)
    }

    fn logits(&self, text: &str, generated: &[u32]) -> Outcome<Vec<f32>> {
        let ids = [&self.tokenizer.encode(text)?[..], generated].concat();
        let hidden = self
            .lm
            .hidden(&self.embedding.rows(&self.window(&ids).ids)?);
        Ok(self.embedding.logits(&hidden.to_vec())?)
    }

    /// The tokens after `text`, of which the first are `kept`, until there are `total`.
    fn complete(&self, text: &str, kept: &[u32], total: usize) -> Outcome<Vec<u32>> {
        let mut generated = kept.to_vec();
        while generated.len() < total {
            let logits = self.logits(text, &generated)?;
            let step = u64::try_from(generated.len())?;
            let mut sampler = Sampler::new(TEMPERATURE, TOP_K, CHOICES)?.at(step);
            generated.push(sampler.pick(&logits).ok_or("no token")?);
        }
        Ok(generated)
    }
}
