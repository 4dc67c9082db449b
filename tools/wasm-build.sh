#!/bin/sh
# Builds wasm-client and wasm-tokenizer and writes web/pkg/ (for each an ES module and its .wasm). Only what changed is built.
set -eu
cd "$(dirname "$0")/.."

# Its own target folder: the compiler that builds it may be another one than the compiler of native builds.
(
    eval "$(tools/wasm-env.sh)"
    cargo build --release --package cipherformer-wasm-client --package cipherformer-wasm-tokenizer \
        --target wasm32-unknown-unknown --target-dir target/wasm
)
for module in client tokenizer; do
    cargo run --quiet --package cipherformer-wasm-bindgen -- \
        "target/wasm/wasm32-unknown-unknown/release/cipherformer_wasm_$module.wasm" web/pkg
done
