#!/usr/bin/env bash
# Usage: browser-tests.sh FOLDER [TEST...]
# Runs the browser tests, or those files of them, against the real program. They start and end it themselves, with films they make.
set -euo pipefail
folder=$1
shift

# With a test beside it, the program is the one that the other tests were built with, and is not built again.
cargo build --locked --bin nightcast --test tidy
export NIGHTCAST=${CARGO_TARGET_DIR:-$PWD/target}/debug/nightcast
npm test --silent --prefix "$folder" -- "$@"
