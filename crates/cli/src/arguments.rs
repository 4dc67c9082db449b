use std::path::PathBuf;

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
    /// Measure a model on labelled images.
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
    /// Model on the server; its first one otherwise.
    #[arg(long)]
    pub model: Option<String>,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Name under models/, or path of a model's folder.
    #[arg(long)]
    pub model: String,
    /// Folder with one folder of images per class, named as in labels.json.
    #[arg(long)]
    pub images: PathBuf,
    /// Number of images, taken class by class in turn.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Send every image through the server, encrypted.
    #[arg(long)]
    pub encrypted: bool,
    /// Address of the server, for --encrypted.
    #[arg(long, default_value = SERVER)]
    pub server: String,
}
