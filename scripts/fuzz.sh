#!/usr/bin/env bash
# Usage: fuzz.sh [SECONDS [TARGET]]
# Fuzzes one target, or each after the other, for so many seconds each. What was learnt is kept in
# fuzz/target/corpus/TARGET; what made a target fail lies in fuzz/target/found/TARGET, and the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

seconds=${1:-60}
# Coverage by flags that a stable compiler takes; given a target triple, cargo keeps them away from build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares)
RUSTFLAGS="${flags[*]}" cargo build --quiet --release --locked --target "$host"
fuzzer=target/$host/release/nightcast-fuzz

failed=()
read -ra targets <<<"${2:-$(cd seeds && echo *)}"
for target in "${targets[@]}"; do
  corpus=target/corpus/$target
  found=target/found/$target
  mkdir -p "$corpus" "$found"
  options=(-max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found/" -print_final_stats=1)
  if [[ -f dictionaries/$target ]]; then options+=(-dict="dictionaries/$target"); fi
  echo "Fuzzing $target for $seconds s"
  if ! NIGHTCAST_FUZZ_TARGET=$target nice "$fuzzer" "${options[@]}" "$corpus" "seeds/$target" >"target/$target.log" 2>&1; then
    tail -n 40 "target/$target.log"
    failed+=("$target")
    continue
  fi
  grep -E '^#[0-9]+.*DONE|^stat::(number_of_executed_units|peak_rss_mb)' "target/$target.log"
done
if ((${#failed[@]})); then
  echo "Failed: ${failed[*]} (the input lies in fuzz/target/found; put it into fuzz/seeds with its mending)" >&2
  exit 1
fi
