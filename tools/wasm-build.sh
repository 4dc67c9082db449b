#!/bin/sh
# Builds the page's WebAssembly into web/pkg/ (for each module ES glue and a .wasm) with the digests by which the page checks it. Only
# what changed is built. The same sources give the same bytes in any folder (docs/served-code.md).
#
#   web/pkg/simd/    wasm-client with 128-bit vectors
#   web/pkg/scalar/  wasm-client for browsers without them; tokenizer and clear models, which gain nothing from them
set -eu
cd "$(dirname "$0")/.."

# The crates must be there before their folder is looked up.
cargo fetch --quiet --locked --target wasm32-unknown-unknown

# Paths of this machine end up in the messages of panics: names that are the same everywhere take their places. Separated by the
# character 31, as cargo wants flags in which a space may stand.
flags() {
    printf -- '-C\037target-feature=%s' "$1"
    printf -- '\037--remap-path-prefix=%s=/cipherformer' "$PWD"
    for index in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
        printf -- '\037--remap-path-prefix=%s=/crates' "$index"
    done
    printf -- '\037--remap-path-prefix=%s/lib/rustlib/src/rust=/rust' "$("${RUSTC:-rustc}" --print sysroot)"
}
# Target folders of their own: the compiler that builds them may be another one than the compiler of native builds.
build() {
    variant=$1 features=$2
    shift 2
    (
        eval "$(tools/wasm-env.sh)"
        CARGO_ENCODED_RUSTFLAGS=$(flags "$features") cargo build --locked --release "$@" \
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
cargo run --quiet --package cipherformer-integrity -- pkg web
