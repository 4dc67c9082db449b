#!/bin/sh
# Builds tests/vectors for wasm32 into target/wasm-vectors/{simd,scalar}/: with vectors of 128 bits, and for engines without them.
set -eu
cd "$(dirname "$0")/.."

build() {
    (
        eval "$(tools/wasm-env.sh)"
        RUSTFLAGS="-C target-feature=$2" cargo build --release --package cipherformer-vectors \
            --target wasm32-unknown-unknown --target-dir "target/wasm-vectors/$1"
    )
    cargo run --quiet --package cipherformer-wasm-bindgen -- \
        "target/wasm-vectors/$1/wasm32-unknown-unknown/release/vectors.wasm" "target/wasm-vectors/$1/pkg"
}
build simd +simd128
build scalar -simd128
