#!/bin/sh
# cargo-tool.sh NAME VERSION: builds a command from crates.io where it is missing, and prints a folder for $PATH.
# Unoptimised: it takes half as long to build, and these commands have little to do.
set -eu

tools=${XDG_CACHE_HOME:-$HOME/.cache}/cipherformer/tools
if ! command -v "$1" >/dev/null && ! [ -x "$tools/bin/$1" ]; then
    echo "building $1 $2 once, into $tools" >&2
    CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --locked --version "$2" --root "$tools" "$1" >&2
fi
echo "$tools/bin"
