#!/usr/bin/env bash
# Judges the Dockerfile and docker-compose.yml, after fetching what judges them.
set -euo pipefail
cd "$(dirname "$0")/../.."

lint=scripts/lint
if [ ! "$lint/node_modules/.package-lock.json" -nt "$lint/package-lock.json" ]; then
  npm ci --prefix "$lint" --no-audit --no-fund
fi
python=.tools/lint
stamp=$python/requirements.sha256
wanted=$(sha256sum "$lint/requirements.txt")
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$python"
  python3 -m venv "$python"
  "$python/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
    -r "$lint/requirements.txt"
  echo "$wanted" >"$stamp"
fi

"$python/bin/hadolint" --failure-threshold info Dockerfile
echo "hadolint: the Dockerfile is fine"
"$lint/node_modules/.bin/dclint" --config "$lint/dclint.json" --max-warnings 0 docker-compose.yml
echo "dclint: docker-compose.yml is fine"

# The plugin of today, or the program that Debian 12 has: both only read the file here.
compose=(docker compose)
if ! docker compose version >/dev/null 2>&1; then compose=(docker-compose); fi
GRAFANA_ADMIN_PASSWORD=only-read "${compose[@]}" -f docker-compose.yml config --quiet
if env -u GRAFANA_ADMIN_PASSWORD "${compose[@]}" -f docker-compose.yml config --quiet 2>/dev/null; then
  echo "docker-compose.yml: Grafana would start without a password of your own" >&2
  exit 1
fi
echo "${compose[*]}: docker-compose.yml can be read, and asks for a password"
