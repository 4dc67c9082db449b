//! Real prompts at the released parameters, from text to the next token's probabilities: client, server engine, clear model.

use cipherformer_tests::{direct::Direct, workspace};
use model::{Embedding, Lm, top_k};
use tokenizer::Tokenizer;

/// The largest difference of a probability among the ten best.
const DEVIATION: f32 = 0.02;

struct Visit {
    direct: Direct,
    lm: Lm,
    embedding: Embedding,
    tokenizer: Tokenizer,
}

impl Visit {
    fn new() -> Self {
        let folder = workspace::root().join("models/wiki-lm");
        let lm = Lm::load(&folder).unwrap();
        let json = std::fs::read(folder.join("tokenizer.json")).unwrap();
        let shape = &lm.config.architecture;
        Self {
            direct: Direct::new("wiki-lm").unwrap(),
            embedding: Embedding::load(&folder, shape).unwrap(),
            tokenizer: Tokenizer::new(&json, shape.vocabulary).unwrap(),
            lm,
        }
    }

    /// Whether the best token agrees; fails when a probability does not.
    fn agrees(&self, text: &str) -> bool {
        let session = &self.direct.session;
        let ids = self.tokenizer.encode(text).unwrap();
        let prompt = session.prompt(&ids).unwrap();
        let query = session.encrypt_prompt(&self.embedding, &prompt).unwrap();
        let answer = self.direct.answer(&query).unwrap();
        let got = session.decrypt_logits(&self.embedding, &answer).unwrap();
        let rows = self.embedding.rows(&prompt.ids).unwrap();
        let want = self.embedding.logits(&self.lm.hidden(&rows).to_vec());
        let want = want.unwrap();
        let all = top_k(&got, got.len());
        let deviation = top_k(&want, 10)
            .into_iter()
            .map(|(token, probability)| {
                let found = all.iter().find(|(other, _)| *other == token).unwrap().1;
                (found - probability).abs()
            })
            .fold(0.0, f32::max);
        println!("{deviation:.5} {text:?}");
        assert!(deviation <= DEVIATION, "{text:?}: {deviation}");
        all[0].0 == top_k(&want, 1)[0].0
    }
}

fn prompts() -> Vec<String> {
    let path = workspace::root().join("tests/data/prompts.txt");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn prompts_of_every_length_are_continued_as_in_the_clear() {
    let visit = Visit::new();
    let long = prompts().join(" ");
    let agreeing = ["", "The capital of France is", &long]
        .into_iter()
        .filter(|text| visit.agrees(text));
    assert_eq!(agreeing.count(), 3);
}

#[test]
#[ignore = "five minutes: run by `just test-long`"]
fn fifty_held_prompts_are_continued_as_in_the_clear() {
    let prompts = prompts();
    assert_eq!(prompts.len(), 50);
    let visit = Visit::new();
    let agreeing = prompts.iter().filter(|text| visit.agrees(text)).count();
    println!("the best token agrees on {agreeing} of 50");
    assert!(agreeing >= 49, "the best token agrees on {agreeing} of 50");
}
