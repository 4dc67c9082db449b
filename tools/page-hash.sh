#!/bin/sh
# page-hash.sh: builds the page and prints the digests of its WebAssembly and, last, the one that stands for all of its files.
# page-hash.sh ADDRESS: compares every file that the server there gives out with this build, and fails when one differs.
set -eu
cd "$(dirname "$0")/.."

tools/page.sh >&2
cd target/page
if [ $# -eq 0 ]; then
    grep '\.wasm$' sha256sums.txt
    sha256sum sha256sums.txt
    exit 0
fi
served=$(mktemp -d)
trap 'rm -rf "$served"' EXIT
cut -c 67- sha256sums.txt | while read -r path; do
    mkdir -p "$served/$(dirname "$path")"
    curl --silent --show-error --fail --output "$served/$path" "${1%/}/$path" || echo "page-hash: no $path at $1" >&2
done
sums=$PWD/sha256sums.txt
cd "$served"
if sha256sum --check --quiet "$sums"; then
    echo "page-hash: $1 serves this build, all $(wc -l < "$sums") files of it"
else
    echo "page-hash: $1 serves another page than this build" >&2
    exit 1
fi
