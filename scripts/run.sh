#!/usr/bin/env bash
# Runs the station. Where it has the demo channels and no film in them, the films are made beside it: the first is ready
# within seconds, and the station takes each as it comes.
set -euo pipefail
cd "$(dirname "$0")/.."

nightcast=target/release/nightcast
folders=(media/night-lights media/small-hours)

has_films() { [ -n "$(find "${folders[@]}" -type f ! -name '.*' -print -quit 2>/dev/null)" ]; }

demo=
if grep -q '^[^#]*media/night-lights' channels.toml && ! has_films; then
  echo "No films yet: making ten short ones in media/ (about a minute; they come on air one by one)"
  mkdir -p "${folders[@]}"
  # Through a pipe it writes log lines instead of a bar, which would fight with the station's log.
  "$nightcast" demo > >(cat) 2>&1 &
  demo=$!
fi

# Only the first table's: [metrics] has a key of that name, too.
address=$(sed -nE '/^[[:space:]]*\[station\]/,/^[[:space:]]*\[/s/^[[:space:]]*listen[[:space:]]*=[[:space:]]*"([^"]+)".*/\1/p' channels.toml | head -n 1)
echo "Nightcast: http://${address:-127.0.0.1:8080}  (Ctrl-C stops it)"

"$nightcast" run "$@" &
station=$!
# A terminal's Ctrl-C reaches the station by itself, and a second signal would make it stop at once; anything else must
# be passed on.
trap ':' INT
trap 'kill -TERM "$station" 2>/dev/null || true' TERM HUP

status=0
while kill -0 "$station" 2>/dev/null; do
  status=0
  wait "$station" || status=$?
done
if [ -n "$demo" ]; then
  kill -TERM "$demo" 2>/dev/null || true
  wait "$demo" || true
fi
exit "$status"
