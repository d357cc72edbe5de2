#!/usr/bin/env bash
# Usage: rust-tests.sh
# Builds all Rust tests and runs their programs, two at once: most of them wait for a station and leave the processor idle.
# What each has to say is shown when it is done.
set -euo pipefail

# At hundreds of times the world's speed a tenth of a second is half a minute of channel: nothing may run beside it.
ALONE='^soak-'

# The longest first, so that none is left over at the end.
LONG='^(faults|broadcast|faults_on_air|hostile_peers|players|prepare|bad_input)-'

run() {
  local began=$SECONDS log verdict=passed
  log=$(mktemp)
  "$1" >"$log" 2>&1 || verdict=FAILED
  echo "$verdict: $(basename "$1"), $((SECONDS - began)) s" | tee -a "$log" >>"$VERDICTS"
  cat "$log"
  rm "$log"
}
export -f run
VERDICTS=$(mktemp)
export VERDICTS
trap 'rm -f "$VERDICTS"' EXIT

# A build that fails says why, here, and nothing is run.
cargo test --locked --no-run
mapfile -t programs < <(cargo test --locked --no-run 2>&1 | sed -nE 's/.*Executable .*\((.*)\)$/\1/p')
alone=() long=() others=()
for program in "${programs[@]}"; do
  name=$(basename "$program")
  if [[ $name =~ $ALONE ]]; then
    alone+=("$program")
  elif [[ $name =~ $LONG ]]; then
    long+=("$program")
  else
    others+=("$program")
  fi
done
for program in "${alone[@]}"; do run "$program"; done
printf '%s\0' "${long[@]}" "${others[@]}" | xargs -0 -n 1 -P 2 bash -c 'run "$0"'
cargo test --locked --doc
if grep FAILED "$VERDICTS"; then
  exit 1
fi
