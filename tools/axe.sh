#!/bin/sh
# Fetches axe-core, which the page's tests run in Chromium to find breaches of WCAG, into target/axe/. MPL-2.0, for tests only.
set -eu
cd "$(dirname "$0")/.."

version=4.14.1
sha512=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
url=https://registry.npmjs.org/axe-core/-/axe-core-$version.tgz

[ "$(cat target/axe/version 2>/dev/null)" = "$version" ] && exit 0
mkdir -p target/axe
if command -v curl >/dev/null; then
    curl -sSfL "$url" -o target/axe/package.tgz
else
    wget -q "$url" -O target/axe/package.tgz
fi
echo "$sha512  target/axe/package.tgz" | sha512sum --check --quiet
tar -xzf target/axe/package.tgz -C target/axe --strip-components=1 package/axe.min.js
rm target/axe/package.tgz
echo "$version" > target/axe/version
