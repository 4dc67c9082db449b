#!/bin/sh
# Runs cargo-deny with the given arguments; builds it once where it is missing.
set -eu

VERSION=0.20.2
tools=${XDG_CACHE_HOME:-$HOME/.cache}/cipherformer/tools
PATH=$tools/bin:$PATH
export PATH

if ! command -v cargo-deny >/dev/null; then
    echo "cargo-deny: building version $VERSION once, into $tools" >&2
    cargo install --quiet --locked --version "$VERSION" --root "$tools" cargo-deny
fi
exec cargo deny "$@"
