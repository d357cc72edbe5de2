#!/usr/bin/env bash
# Makes every fault there is happen to a real station, with viewers watching, and every hostile peer call on it. Ends with
# the two tables of docs/faults.md, as they came out here; they lie in target/faults.md, too.
set -euo pipefail
cd "$(dirname "$0")/.."

rows=target/tmp
rm -rf "$rows/faults" "$rows/peers"

# All suites are run, also after a failure: a table with a hole tells more than none.
failed=0
suites=(faults faults_on_air faults_machine resilience players hostile_peers)
cargo test --locked --no-fail-fast "${suites[@]/#/--test=}" || failed=1
scripts/browser-tests.sh tests/browser faults.test.mjs wrap.test.mjs || failed=1

table() { # table FOLDER HEADING...
  local folder=$1
  shift
  printf '| %s ' "$@"
  printf '|\n'
  printf '| --- %.0s' "$@"
  printf '|\n'
  find "$folder" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0r cat
}
{
  table "$rows/faults" "Fault" "Longest time a playlist stood still" "What viewers saw"
  echo
  table "$rows/peers" "Peer" "What it gets" "The channel meanwhile"
} | tee target/faults.md
if ((failed)); then
  echo "Something failed: see above; what a fault needs to be told is missing from the tables" >&2
  exit 1
fi
