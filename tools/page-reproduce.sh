#!/bin/sh
# Builds the page of HEAD twice, in two folders with names of their own and with two cargo homes, and fails when a byte differs.
# The crates come from this machine's cargo home. Takes two full builds of the WebAssembly: some minutes.
set -eu
cd "$(dirname "$0")/.."

home=${CARGO_HOME:-$HOME/.cargo}
# Of a checkout that has no build of its own, the crates might not be here yet.
cargo fetch --locked
commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in one 'the second, elsewhere'; do
    checkout=$work/$name/cipherformer
    mkdir -p "$checkout" "$work/$name/cargo"
    git archive "$commit" | tar -x -C "$checkout"
    ln -s "$home/registry" "$work/$name/cargo/registry"
    ln -s "$home/bin" "$work/$name/cargo/bin"
    # The host's programs do not end up in the page: one build of them serves both.
    (cd "$checkout" && CARGO_HOME="$work/$name/cargo" CARGO_TARGET_DIR="$work/host" tools/page.sh)
done
cmp "$work/one/cipherformer/target/page/sha256sums.txt" "$work/the second, elsewhere/cipherformer/target/page/sha256sums.txt"
echo "page-reproduce: both builds are the same to the last byte"
