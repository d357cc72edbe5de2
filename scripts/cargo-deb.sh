#!/usr/bin/env bash
# Usage: cargo-deb.sh ARGUMENT...
# Runs cargo-deb, after building it into .tools when there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

version=3.8.0
export PATH=$PWD/.tools/bin:$PATH
if ! command -v cargo-deb >/dev/null 2>&1; then
  echo "Building cargo-deb $version into .tools (some minutes, once)"
  cargo install --quiet --locked cargo-deb --version "$version" --root .tools
fi
cargo deb "$@"
