//! A server inside the test, and a language model that is small enough to wait for at real parameters.

#![allow(dead_code, reason = "every test file uses another part")]

pub mod proxy;
pub mod watched;

#[path = "../../../client/tests/common/mod.rs"]
mod files;
#[path = "../../../tokenizer/tests/common/mod.rs"]
mod tokens;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, mpsc},
    thread,
};

use client::{
    model::{Embedding, Lm, lm},
    protocol::{ckks::Parameters, hex::Hex},
};
use native_server::{Settings, engine::Engine, models::language_model, serve};
use tokenizer::Tokenizer;

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The command, in the workspace's folder; no keys are kept where it looks for them.
pub fn cipherformer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cipherformer"));
    command.current_dir(root());
    command.env(
        "XDG_DATA_HOME",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/nothing-kept"),
    );
    command.env_remove("CIPHERFORMER_SERVER");
    command
}

/// The encryption parameters that clients accept.
pub fn parameters() -> Parameters {
    Parameters::n15_q630_p237().unwrap()
}

/// Serves models; returns the address.
pub fn start(models: Vec<Arc<dyn Engine>>) -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let (address, server) = serve(listener, models, Settings::default()).unwrap();
            sender.send(address).unwrap();
            server.await.unwrap();
        });
    });
    format!("http://{}", receiver.recv().unwrap())
}

/// One block of random weights over a tokenizer of bytes.
pub struct Small {
    pub lm: Lm,
    pub embedding: Embedding,
    pub tokenizer: Tokenizer,
}

impl Small {
    pub fn new() -> Self {
        let (small, _) = Lm::small(1, tokens::VOCABULARY, 1).unwrap();
        let architecture = lm::Architecture {
            window: 64,
            width: 128,
            heads: 2,
            hidden: 256,
            ..small.config.architecture
        };
        let config = lm::Config {
            architecture,
            ..small.config
        };
        let mut embedding = Embedding::random(&architecture, 2).unwrap();
        // Random vectors are all alike to the model: larger scores let it have an opinion.
        embedding.bias.mapv_inplace(|bias| 20.0 * bias);
        Self {
            lm: Lm::random(config, 1).unwrap(),
            embedding,
            tokenizer: Tokenizer::new(tokens::small().as_bytes(), tokens::VOCABULARY).unwrap(),
        }
    }

    pub fn engine(&self) -> Arc<dyn Engine> {
        let embedding = files::embedding_file(&self.embedding);
        let tokenizer = tokens::small().into_bytes();
        language_model(&self.lm, tokenizer, embedding, Hex([0; 32]), &parameters()).unwrap()
    }
}
