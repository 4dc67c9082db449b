#!/bin/sh
# page.sh [OUTPUT]: builds the page as it is deployed, into target/page where nothing else is said: its WebAssembly, its files, and
# their digests (docs/served-code.md). Prints the digest of the list of all of them.
set -eu
cd "$(dirname "$0")/.."

output=${1:-target/page}
tools/wasm-build.sh
cargo run --quiet --package cipherformer-integrity -- page web "$output"
echo "page: $(sha256sum "$output/sha256sums.txt" | cut -c 1-64) of $output/sha256sums.txt"
