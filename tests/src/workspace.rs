//! What cargo says about the workspace: which package names which, and what a package links when it is built alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Our packages carry this prefix; tables of crates read better without it.
const PREFIX: &str = "cipherformer-";

/// One dependency line of a workspace member, dev-dependencies left out: tests are consumers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The member, without the workspace's prefix.
    pub from: String,
    /// The package it names, without the prefix where it is ours.
    pub to: String,
    /// Whether `to` is a member too.
    pub ours: bool,
    /// Whether the line asks for the package's default features.
    pub default_features: bool,
}

/// The folder of the workspace's root manifest.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

/// The members' names, without the prefix.
pub fn members() -> Result<Vec<String>, cargo_metadata::Error> {
    let metadata = metadata()?;
    Ok(metadata
        .workspace_packages()
        .iter()
        .map(|package| short(&package.name))
        .collect())
}

/// Every normal and build dependency that a member's manifest names, for whatever target.
pub fn dependencies() -> Result<Vec<Dependency>, cargo_metadata::Error> {
    let metadata = metadata()?;
    let members = metadata.workspace_packages();
    let ours = |name: &str| members.iter().any(|package| package.name.as_str() == name);
    Ok(members
        .iter()
        .flat_map(|package| {
            package
                .dependencies
                .iter()
                .map(move |dependency| (package, dependency))
        })
        .filter(|(_, dependency)| dependency.kind != DependencyKind::Development)
        .map(|(package, dependency)| Dependency {
            from: short(&package.name),
            to: short(&dependency.name),
            ours: ours(&dependency.name),
            default_features: dependency.uses_default_features,
        })
        .collect())
}

/// A package that is linked, and the features it is built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The package's name, without the prefix where it is ours.
    pub name: String,
    /// Its enabled features.
    pub features: Vec<String>,
}

/// What is linked into `member` when it is built by itself for `target` (the host where `None`), itself included.
///
/// `cargo metadata` unites the features of all members, so it cannot answer this; `cargo tree --package` can.
pub fn linked(member: &str, target: Option<&str>) -> std::io::Result<Vec<Linked>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args([
        "tree",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}|{f}",
    ]);
    command.args(["--package", &format!("{PREFIX}{member}")]);
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(std::io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(parse_linked)
        .collect())
}

fn parse_linked(line: &str) -> Option<Linked> {
    let (package, features) = line.split_once('|')?;
    let name = package.split_whitespace().next()?;
    let features = features
        .split(',')
        .map(str::trim)
        .filter(|feature| !feature.is_empty())
        .map(str::to_owned)
        .collect();
    Some(Linked {
        name: short(name),
        features,
    })
}

fn metadata() -> Result<cargo_metadata::Metadata, cargo_metadata::Error> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
}

fn short(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}
