//! The architecture as a test: who may depend on whom, where the named packages live, what the server cannot link.
//!
//! The tables below are the design. A change that fails here either belongs elsewhere or changes the design, and then
//! the table changes in the same commit, with the reason in `ARCHITECTURE.md`.

use cipherformer_tests::workspace::{self, Dependency};

/// Each crate and the crates it may name. Arrows go one way, from arithmetic to the product.
const ARROWS: &[(&str, &[&str])] = &[
    ("ring", &[]),
    ("ckks", &["ring"]),
    ("circuits", &["ckks"]),
    ("model", &[]),
    ("transformer", &["circuits", "model"]),
    ("protocol", &["ckks"]),
    ("client", &["protocol", "ckks", "model"]),
    ("tokenizer", &[]),
    ("cli", &["client", "protocol", "tokenizer"]),
    ("wasm-client", &["client"]),
    ("wasm-model", &["model"]),
    ("wasm-tokenizer", &["tokenizer"]),
    ("native-server", &["transformer", "protocol", "model"]),
];

/// Members outside the product: they may name every member, and no crate of the product may name them.
const CONSUMERS: &[&str] = &[
    "bench",
    "bench-engine",
    "constant-time",
    "integrity",
    "readers",
    "tests",
    "vectors",
    "wasm-bindgen",
];

/// Packages from outside that may be named by these crates only.
const NAMED_PACKAGES: &[(&str, &[&str])] = &[
    ("actix-web", &["native-server"]),
    ("getrandom", &["ring"]),
    ("js-sys", &["wasm-client"]),
    ("ndarray", &["model", "transformer"]),
    ("serde-wasm-bindgen", &["wasm-client"]),
    ("tfhe", &[]),
    ("tfhe-ntt", &["ring"]),
    ("tokenizers", &["tokenizer"]),
    (
        "wasm-bindgen",
        &["wasm-client", "wasm-model", "wasm-tokenizer"],
    ),
    ("web-sys", &["wasm-client"]),
];

/// The reason why `dependency` may not be, or `None` where the tables name it.
fn objection(dependency: &Dependency) -> Option<String> {
    let Dependency { from, to, .. } = dependency;
    if CONSUMERS.contains(&from.as_str()) {
        return None;
    }
    if dependency.ours {
        let allowed = ARROWS
            .iter()
            .find(|(name, _)| name == from)
            .map(|(_, allowed)| *allowed);
        return match allowed {
            None => Some(format!("{from} is in no table of tests/architecture.rs")),
            Some(allowed) if allowed.contains(&to.as_str()) => None,
            Some(_) => Some(format!("{from} -> {to} is no arrow of the design")),
        };
    }
    let homes = NAMED_PACKAGES
        .iter()
        .find(|(name, _)| name == to)
        .map(|(_, homes)| *homes)?;
    (!homes.contains(&from.as_str()))
        .then(|| format!("{from} names {to}, which lives in {homes:?}"))
}

fn dependency(from: &str, to: &str, ours: bool) -> Dependency {
    Dependency {
        from: from.into(),
        to: to.into(),
        ours,
        default_features: true,
    }
}

#[test]
fn every_dependency_is_an_arrow_of_the_design() {
    let dependencies = workspace::dependencies().expect("cargo metadata");
    assert!(
        dependencies
            .iter()
            .any(|known| known.ours && known.from == "circuits" && known.to == "ckks"),
        "the arrows were not read: {dependencies:?}"
    );
    let objections: Vec<String> = dependencies.iter().filter_map(objection).collect();
    assert!(objections.is_empty(), "{objections:#?}");
}

#[test]
fn every_member_is_in_a_table() {
    for member in workspace::members().expect("cargo metadata") {
        let known =
            CONSUMERS.contains(&member.as_str()) || ARROWS.iter().any(|(name, _)| *name == member);
        assert!(known, "{member} is in no table of tests/architecture.rs");
    }
}

#[test]
fn wrong_arrows_are_refused() {
    let wrong = [
        dependency("ring", "ckks", true),
        dependency("wasm-client", "transformer", true),
        dependency("wasm-client", "circuits", true),
        dependency("native-server", "client", true),
        dependency("protocol", "transformer", true),
        dependency("client", "tests", true),
        dependency("newcomer", "ring", true),
        dependency("client", "getrandom", false),
        dependency("protocol", "ndarray", false),
        dependency("client", "wasm-bindgen", false),
        dependency("cli", "actix-web", false),
        dependency("ckks", "tfhe-ntt", false),
        dependency("client", "tokenizers", false),
        dependency("wasm-client", "tokenizer", true),
    ];
    for dependency in wrong {
        assert!(objection(&dependency).is_some(), "{dependency:?} passed");
    }
}

#[test]
fn the_server_links_no_secret_key_and_no_insecure_parameters() {
    let features = |member: &str| -> Vec<String> {
        let linked = workspace::linked(member, None).expect("cargo tree");
        let ckks = linked.iter().filter(|package| package.name == "ckks");
        let features: Vec<_> = ckks.map(|package| package.features.clone()).collect();
        assert!(!features.is_empty(), "{member}: ckks is not in the graph");
        features.concat()
    };
    let (server, client) = (features("native-server"), features("client"));
    for feature in ["secret-key", "insecure-parameters"] {
        assert!(
            !server.iter().any(|found| found == feature),
            "native-server is built with ckks's feature {feature}"
        );
    }
    assert!(
        client.iter().any(|found| found == "secret-key"),
        "client is built without ckks's secret-key feature: this test sees nothing"
    );
}

#[test]
fn the_wasm_client_links_only_what_a_client_needs() {
    let linked =
        workspace::linked("wasm-client", Some("wasm32-unknown-unknown")).expect("cargo tree");
    assert!(
        linked.iter().any(|package| package.name == "client"),
        "the graph was not read: {linked:?}"
    );
    for package in [
        "circuits",
        "transformer",
        "image",
        "tfhe-ntt",
        "rayon",
        "tokenizers",
    ] {
        assert!(
            linked.iter().all(|linked| linked.name != package),
            "wasm-client links {package}"
        );
    }
    for package in linked
        .iter()
        .filter(|package| ["js-sys", "web-sys"].contains(&package.name.as_str()))
    {
        let eval = package
            .features
            .iter()
            .any(|feature| feature == "unsafe-eval");
        assert!(
            !eval,
            "{} asks for unsafe-eval, which the page's content security policy refuses",
            package.name
        );
    }
}
