//! Readers under their corpus and a mutator.

use readers::{Mutator, READERS, folder, reader, sound};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

/// Largest number of bytes that reading a corpus file of some kilobytes may take, the process included; in KiB, for `ulimit`.
const MEMORY: usize = 1 << 21;
const CHOICE: &str = "CIPHERFORMER_READER";

#[test]
fn some_seconds_of_mutations() {
    each_in_a_process_of_its_own(Duration::from_millis(500));
}

#[test]
#[ignore = "a minute: run by `just test-long`"]
fn a_minute_of_mutations() {
    each_in_a_process_of_its_own(Duration::from_secs(60) / READERS.len() as u32);
}

/// An allocation beyond the limit ends a process, so every reader gets one.
fn each_in_a_process_of_its_own(time: Duration) {
    let program = env::current_exe().unwrap();
    for (name, _) in READERS {
        let limited = format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\"");
        let status = Command::new("sh")
            .args(["-c", &limited])
            .arg(&program)
            .args(["one_reader", "--exact", "--ignored", "--nocapture"])
            .env(CHOICE, format!("{name} {}", time.as_millis()))
            .status()
            .unwrap();
        assert!(
            status.success(),
            "the reader {name} failed: its input is in {}",
            keep(name).display()
        );
    }
}

/// How many inputs a process has begun, in a file: where an allocation ends the process, nothing runs after it.
fn count(name: &str) -> PathBuf {
    env::temp_dir().join(format!("cipherformer-reader-{name}.count"))
}

/// Writes the input that a reader failed on.
fn keep(name: &str) -> PathBuf {
    let bytes = fs::read(count(name)).unwrap();
    let begun = u64::from_le_bytes(bytes.try_into().unwrap()) as usize;
    let corpus = corpus(name);
    let input = match corpus.get(begun - 1) {
        Some(file) => file.clone(),
        None => {
            let mut mutator = Mutator::new(1);
            let inputs = (corpus.len()..begun).map(|_| mutator.mutated(&corpus));
            inputs.last().unwrap()
        }
    };
    let file = env::temp_dir().join(format!("cipherformer-reader-{name}"));
    fs::write(&file, input).unwrap();
    file
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!corpus.is_empty(), "{name} has no corpus");
    corpus
}

#[test]
#[ignore = "the process that the others start"]
fn one_reader() {
    let Ok(choice) = env::var(CHOICE) else { return };
    let (name, time) = choice.split_once(' ').unwrap();
    let (read, time) = (reader(name), Duration::from_millis(time.parse().unwrap()));
    let corpus = corpus(name);
    let record = fs::File::create(count(name)).unwrap();
    let mut begun = 0u64;
    let mut try_one = |input: &[u8]| {
        begun += 1;
        record.write_all_at(&begun.to_le_bytes(), 0).unwrap();
        let before = Instant::now();
        read(input);
        let took = before.elapsed();
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
    };
    corpus.iter().for_each(|input| try_one(input));
    let (start, mut mutator) = (Instant::now(), Mutator::new(1));
    while start.elapsed() < time {
        try_one(&mutator.mutated(&corpus));
    }
    fs::remove_file(count(name)).unwrap();
    println!("{name}: {} files, {begun} inputs", corpus.len());
}

/// `WRITE_CORPUS=1` writes them anew.
#[test]
fn the_sound_files_are_what_is_written_today() {
    for file in sound().unwrap() {
        let path = folder(file.reader).join(file.name);
        if env::var_os("WRITE_CORPUS").is_some() {
            fs::write(&path, &file.bytes).unwrap();
        }
        let stored = fs::read(&path).unwrap();
        assert!(stored == file.bytes, "{} is an older one", path.display());
    }
}

/// The sound files are read to the end: otherwise the mutator changes bytes that nobody looks at.
#[test]
fn the_corpus_is_sound() {
    use protocol::{check::Trust, manifest::Manifest};
    let file = |reader: &str, name: &str| fs::read(folder(reader).join(name)).unwrap();
    for task in ["classify", "complete"] {
        let manifest: Manifest = serde_json::from_slice(&file("manifest", task)).unwrap();
        manifest.check(Trust::InsecureForTests).unwrap();
    }
    let tokenizer = tokenizer::Tokenizer::new(&file("tokenizer", "small.json"), 266).unwrap();
    assert!(tokenizer.encode("the").unwrap().len() == 1);
    let config = file("config", "vit.json");
    let (weights, stem) = (file("safetensors", "vit"), file("safetensors", "stem"));
    model::Vit::from_bytes(&config, &weights, None).unwrap();
    model::Vit::from_bytes(&file("config", "stem.json"), &weights, Some(&stem)).unwrap();
    model::Lm::from_bytes(&file("config", "lm.json"), &file("safetensors", "lm")).unwrap();
    model::Embedding::from_bytes(&file("safetensors", "embedding"), 4, 2, 3).unwrap();
    model::labels::parse(&file("labels", "two"), 2).unwrap();
    for picture in ["png", "jpeg", "webp"] {
        model::image::decode(&file("image", picture)).unwrap();
    }
    for spec in ["key", "galois"] {
        serde_json::from_slice::<ckks::KeySpec>(&file("specifications", spec)).unwrap();
    }
    serde_json::from_slice::<ckks::CiphertextSpec>(&file("specifications", "ciphertext")).unwrap();
    let parameters = ckks::Parameters::by_name("insecure-n5-l9").unwrap();
    let kind = ckks::KeyKind::Galois(5);
    let spec = ckks::KeySpec { kind, level: 1 };
    ckks::SeededKey::from_bytes(&parameters, &spec, &file("key", "galois")[2..]).unwrap();
}
