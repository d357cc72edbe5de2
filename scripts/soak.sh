#!/usr/bin/env bash
# Lives through days of channel under a fast clock and judges all of it; reports in target/soak/.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --release --locked --example soak
soak=${CARGO_TARGET_DIR:-target}/release/examples/soak
# At such speeds a tenth of a second for other work is minutes of channel. Who may, goes first.
if chrt --fifo 5 true 2>/dev/null; then
  exec chrt --fifo 5 "$soak"
fi
exec "$soak"
