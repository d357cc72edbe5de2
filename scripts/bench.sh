#!/usr/bin/env bash
# Measures the station; what the figures mean is told in docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -f examples/bench/main.rs ]; then
  echo "bench.sh: examples/bench/main.rs is missing" >&2
  exit 1
fi
case " ${ONLY:-serving} " in
*serving* | *rivals*) scripts/machine.sh bench ;;
esac
# A browser and what drives it.
case " ${ONLY:-zap} " in
*zap*)
  scripts/machine.sh test
  scripts/tools.sh
  ;;
esac
cargo run --quiet --release --locked --example bench -- "$@"
