#!/bin/sh
# fuzz.sh SECONDS [READER…]: cargo-fuzz on each reader of outside bytes, all of them otherwise, from the corpus in tests/readers.
# Without nightly Rust it says so and does nothing.
set -eu
cd "$(dirname "$0")/.."

seconds=$1
shift
if ! rustup toolchain list 2>/dev/null | grep -q nightly; then
    echo 'fuzz: skipped, it needs nightly Rust: rustup toolchain install nightly --profile minimal'
    exit 0
fi
[ $# -gt 0 ] || set -- $(ls tests/readers/corpus)
PATH="$(tools/cargo-tool.sh cargo-fuzz 0.13.2):$PATH"
for reader; do
    # What is found stays out of the tree.
    mkdir -p "fuzz/target/found/$reader"
    cargo +nightly fuzz run "$reader" "fuzz/target/found/$reader" "tests/readers/corpus/$reader" -- \
        -max_total_time="$seconds" -max_len=4096 -malloc_limit_mb=1024 -timeout=5
done
