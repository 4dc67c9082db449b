#!/bin/sh
# Installs Debian's Chromium where no Chromium or Chrome is found: the page's test drives a real browser.
set -eu

for browser in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
    command -v "$browser" >/dev/null && exit 0
done
command -v apt-get >/dev/null || { echo "chromium.sh: install Chromium and name it in \$CHROMIUM" >&2; exit 1; }
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null
