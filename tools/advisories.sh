#!/bin/sh
# Known vulnerabilities of dependencies, from the RustSec database on GitHub. Where it cannot be fetched, as on a machine without a network,
# that is said and nothing fails.
set -eu
cd "$(dirname "$0")/.."

PATH=$(tools/cargo-tool.sh cargo-deny 0.20.2):$PATH
if ! timeout 120 cargo deny fetch db 2>/dev/null; then
    echo 'advisories: SKIPPED, the RustSec database (github.com/rustsec/advisory-db) cannot be fetched here' >&2
    exit 0
fi
cargo deny --offline check advisories
