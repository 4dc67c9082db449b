use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

const SERVER: &str = "http://127.0.0.1:8080";

/// What `--help` ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a file, a text or this machine is the reason
  2    wrong usage
  3    the server cannot be reached, or the connection broke off
  4    the server refused
  5    the server is busy; ask again later
  6    the server answers what this client does not accept
  130  stopped from the keyboard

Environment:
  CIPHERFORMER_SERVER  address of the server, where --server is not given
  SSL_CERT_FILE        certificates to trust instead of the system's, for https
  HTTPS_PROXY, NO_PROXY  as elsewhere; never used for servers on this machine";

const KEYS_HELP: &str = "\
Without kept keys, classify and complete make keys, upload them (about 100 MB) and delete them at the end. Kept keys are made \
once and used by all later calls with the same server and model; what the server has lost meanwhile is made again and sent. \
evaluate prints figures that depend on decryptions, so it never uses kept keys.

What is kept: per server and model a folder in $XDG_DATA_HOME/cipherformer/keys (or ~/.local/share/cipherformer/keys) with a file `seed` of \
32 random bytes and a file `set.json` with the key set's name on the server; the folder has mode 0700, the files 0600. The secret key is \
expanded from the seed when it is needed and never written. Whoever has the seed can decrypt everything that was and will be sent with these \
keys; whoever has `set.json` can use up the server's time with them, not decrypt. A copy of the folder, in a backup for example, is a copy \
of the key. `keys forget` deletes the files here and the keys on the server.";

/// Private inference: the server computes on what only you can read.
#[derive(Debug, Parser)]
#[command(name = "cipherformer", version, after_help = EXIT_CODES)]
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
    /// List a server's models: task, parameters, keys, seconds, accuracy.
    Models(Models),
    /// Keep keys between calls: make, upload, list, forget.
    #[command(long_about = KEYS_HELP)]
    Keys(Keys),
    /// Measure a model on labelled images or on a text; prints one line of JSON.
    Evaluate(Evaluate),
}

/// Which server.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Address of the server.
    #[arg(long, env = "CIPHERFORMER_SERVER", default_value = SERVER)]
    pub server: String,
}

/// Arguments of `classify`.
#[derive(Debug, Args)]
pub struct Classify {
    /// PNG, JPEG or WebP file.
    pub image: PathBuf,
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// Model on the server; its first one for images otherwise.
    #[arg(long)]
    pub model: Option<String>,
    /// Keep the keys for later calls (see `keys`).
    #[arg(long)]
    pub keep_keys: bool,
    /// Print one line of JSON.
    #[arg(long)]
    pub json: bool,
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
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// Model on the server; its first one for text otherwise.
    #[arg(long)]
    pub model: Option<String>,
    /// Keep the keys for later calls (see `keys`).
    #[arg(long)]
    pub keep_keys: bool,
    /// Print one line of JSON when the text is complete, instead of the text as it comes.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `models`.
#[derive(Debug, Args)]
pub struct Models {
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// Print one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `keys`.
#[derive(Debug, Args)]
pub struct Keys {
    /// What to do with them.
    #[command(subcommand)]
    pub command: KeyCommand,
    /// Print one line of JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do with kept keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Draw a secret where none is kept, and upload the keys that the server lacks.
    Make(KeysOf),
    /// Upload the keys that the server lacks, where a secret is kept: after an interruption, or when the server has dropped them.
    Upload(KeysOf),
    /// Show what is kept, its age and where, without asking any server.
    List,
    /// Delete the secret here and the keys on the server.
    Forget(Forget),
}

/// Which keys.
#[derive(Debug, Args)]
pub struct KeysOf {
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// Model on the server; all of them otherwise.
    #[arg(long)]
    pub model: Option<String>,
}

/// Arguments of `keys forget`.
#[derive(Debug, Args)]
pub struct Forget {
    /// Which keys.
    #[command(flatten)]
    pub of: KeysOf,
    /// The keys of all servers and models.
    #[arg(long, conflicts_with = "model")]
    pub all: bool,
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
    /// Leave how the answers compare with the clear model's beside its weights, in encrypted.json: servers show it to everybody, so
    /// measure on public data. The keys are made for this call and thrown away.
    #[arg(long, requires = "encrypted")]
    pub record: bool,
    /// Print one line of JSON; this command always does.
    #[arg(long)]
    pub json: bool,
    /// Which server, for --encrypted.
    #[command(flatten)]
    pub server: Server,
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
