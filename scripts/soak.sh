#!/usr/bin/env bash
# Lives through days of channel under a fast clock and judges all of it; reports in target/soak/.
set -euo pipefail
cd "$(dirname "$0")/.."

exec cargo run --quiet --release --locked --example soak
