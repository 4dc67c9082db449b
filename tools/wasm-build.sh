#!/bin/sh
# Builds the page's WebAssembly into web/pkg/ (for each module ES glue and a .wasm). Only what changed is built.
#
#   web/pkg/simd/    wasm-client with 128-bit vectors
#   web/pkg/scalar/  wasm-client for browsers without them; tokenizer and clear models, which gain nothing from them
set -eu
cd "$(dirname "$0")/.."

# Target folders of their own: the compiler that builds them may be another one than the compiler of native builds.
build() {
    variant=$1 features=$2
    shift 2
    (
        eval "$(tools/wasm-env.sh)"
        RUSTFLAGS="-C target-feature=$features" cargo build --release "$@" \
            --target wasm32-unknown-unknown --target-dir "target/wasm/$variant"
    )
}
bind() {
    cargo run --quiet --package cipherformer-wasm-bindgen -- \
        "target/wasm/$1/wasm32-unknown-unknown/release/cipherformer_wasm_$2.wasm" "web/pkg/$1"
}

build simd +simd128 --package cipherformer-wasm-client --features cipherformer-wasm-client/simd
bind simd client
build scalar -simd128 --package cipherformer-wasm-client --package cipherformer-wasm-model --package cipherformer-wasm-tokenizer
for module in client model tokenizer; do
    bind scalar "$module"
done
