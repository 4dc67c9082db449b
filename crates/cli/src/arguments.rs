use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

const SERVER: &str = "http://127.0.0.1:8080";

/// Private inference: the server computes on what only you can read.
#[derive(Debug, Parser)]
#[command(name = "cipherformer", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Classify an image without showing it to the server.
    Classify(Classify),
    /// Continue a text without showing it to the server.
    Complete(Complete),
    /// Measure a model on labelled images or on a text.
    Evaluate(Evaluate),
}

/// Arguments of `classify`.
#[derive(Debug, Args)]
pub struct Classify {
    /// PNG, JPEG or WebP file.
    pub image: PathBuf,
    /// Address of the server.
    #[arg(long, default_value = SERVER)]
    pub server: String,
    /// Model on the server; its first one for images otherwise.
    #[arg(long)]
    pub model: Option<String>,
}

/// Arguments of `complete`.
#[derive(Debug, Args)]
pub struct Complete {
    /// The text to continue; may be empty.
    pub prompt: OsString,
    /// How many tokens to add.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub tokens: u64,
    /// 0 always takes the likeliest token; higher is more adventurous.
    #[arg(long, default_value_t = 0.7, allow_negative_numbers = true)]
    pub temperature: f64,
    /// Choose among so many of the likeliest tokens; 0 for all.
    #[arg(long, default_value_t = 40)]
    pub top_k: usize,
    /// The same seed makes the same choices again; drawn and shown otherwise.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Address of the server.
    #[arg(long, default_value = SERVER)]
    pub server: String,
    /// Model on the server; its first one for text otherwise.
    #[arg(long)]
    pub model: Option<String>,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Name under models/, or path of a model's folder.
    #[arg(long)]
    pub model: String,
    /// What to measure it on.
    #[command(flatten)]
    pub data: Data,
    /// Number of images, taken class by class in turn; of a text the number of tokens, with --encrypted of prompts.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Send every image or prompt through the server, encrypted.
    #[arg(long)]
    pub encrypted: bool,
    /// Address of the server, for --encrypted.
    #[arg(long, default_value = SERVER)]
    pub server: String,
}

/// What a model is measured on: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Data {
    /// Folder with one folder of images per class, named as in labels.json.
    #[arg(long)]
    pub images: Option<PathBuf>,
    /// UTF-8 text; with --encrypted every line is a prompt.
    #[arg(long)]
    pub text: Option<PathBuf>,
}
