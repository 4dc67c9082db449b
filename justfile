# Every command of the project. `./dev RECIPE` is the same, and installs `just` where it is missing.

# The address that `serve` listens on.
address := env("CIPHERFORMER_ADDRESS", "127.0.0.1:8080")

[private]
default:
    @just --list --unsorted

# Build what is missing, start the server and print the page's address.
serve: wasm
    cargo build --release --package cipherformer-native-server
    exec target/release/cipherformer-server --address {{ address }}

# Build the browser's WebAssembly into web/pkg.
wasm:
    tools/wasm-build.sh

# Build the page as it is deployed, files with their digests, into target/page.
page:
    tools/page.sh

# The digests of the page that these sources make; with a server's address, whether that one serves it (docs/served-code.md).
page-hash *address:
    tools/page-hash.sh {{ address }}

# All tests that a change must pass: lints, unit and integration tests, three encrypted images, the page in Chromium.
test: check page
    tools/wasm-vectors.sh
    tools/chromium.sh
    tools/axe.sh
    cargo build --package cipherformer-native-server
    cargo test --workspace
    # Once more as on a processor without AVX-512.
    cargo test --package cipherformer-ring --no-default-features

# The long ones too: a hundred images under encryption, a minute of fuzzing for every reader.
test-long: page
    tools/wasm-vectors.sh
    tools/chromium.sh
    tools/axe.sh
    cargo build --package cipherformer-native-server
    cargo test --workspace -- --include-ignored
    # The client's traces once more as it is released, and without AVX-512.
    cargo test --release --package cipherformer-constant-time -- --include-ignored
    cargo test --release --package cipherformer-constant-time --no-default-features -- --include-ignored
    tools/fuzz.sh 60
    # The page of HEAD is the same to the last byte wherever it is built.
    tools/page-reproduce.sh

# Readers of outside bytes (folders of tests/readers/corpus; all otherwise) under cargo-fuzz, where nightly Rust is installed.
fuzz seconds="60" *readers:
    tools/fuzz.sh {{ seconds }} {{ readers }}

# The page in real Chromium, against the real server.
e2e: page
    tools/chromium.sh
    tools/axe.sh
    cargo build --package cipherformer-native-server
    cargo test --package cipherformer-tests --test browser --test browser_keys --test browser_prompt --test browser_served -- --nocapture

# Formatting, lints, and the rules for dependencies (deny.toml).
check:
    @cargo clippy --version >/dev/null && cargo fmt --version >/dev/null || rustup component add clippy rustfmt
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    PATH="$(tools/cargo-tool.sh cargo-deny 0.20.2):$PATH" cargo deny check bans licenses sources
    tools/advisories.sh

# Known vulnerabilities of dependencies; says so where the RustSec database cannot be fetched. Part of `check`.
advisories:
    tools/advisories.sh

# Format the sources.
fmt:
    cargo fmt --all

# Times and sizes of everything that a person waits for, printed with the machine.
bench *arguments: page
    tools/chromium.sh
    cargo build --release --package cipherformer-native-server
    cargo run --release --package cipherformer-bench -- {{ arguments }}

# The engine's operations as on a processor that ends at AVX2.
bench-avx2 set="n15-q630-p237":
    cargo run --release --package cipherformer-bench-engine --no-default-features -- {{ set }}

# The API documentation of all crates.
docs:
    cargo doc --workspace --no-deps
