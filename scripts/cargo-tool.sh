#!/usr/bin/env bash
# Usage: cargo-tool.sh deny|deb ARGUMENT...
# Runs cargo-deny or cargo-deb, after building it into .tools when there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=$1
shift
declare -A versions=([deny]=0.20.2 [deb]=3.8.0)
version=${versions[$tool]}
export PATH=$PWD/.tools/bin:$PATH
if ! command -v "cargo-$tool" >/dev/null 2>&1; then
  echo "Building cargo-$tool $version into .tools (some minutes, once)"
  cargo install --quiet --locked "cargo-$tool" --version "$version" --root .tools
fi
cargo "$tool" "$@"
