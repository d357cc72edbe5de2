#!/usr/bin/env bash
# Usage: cargo-deny.sh ARGUMENT...
# Runs cargo-deny, after building it into .tools when there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
export PATH=$PWD/.tools/bin:$PATH
if ! command -v cargo-deny >/dev/null 2>&1; then
  echo "Building cargo-deny $version into .tools (some minutes, once)"
  cargo install --quiet --locked cargo-deny --version "$version" --root .tools
fi
cargo deny --locked "$@"
