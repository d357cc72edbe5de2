#!/usr/bin/env bash
# Fetches what the tests need beside the system's packages: a Python and a Node package with strict playlist readers, the
# browser's driver, an S3-compatible store, and a second ffmpeg.
set -euo pipefail
cd "$(dirname "$0")/.."

# npm writes this file last.
browser=tests/browser
if [ ! "$browser/node_modules/.package-lock.json" -nt "$browser/package-lock.json" ]; then
  echo "Fetching the Node packages of the tests (15 MB, once)"
  npm ci --prefix "$browser" --no-audit --no-fund
fi

# An S3-compatible store.
store=tests/store
if [ ! "$store/node_modules/.package-lock.json" -nt "$store/package-lock.json" ]; then
  echo "Fetching the store of the tests (5 MB, once)"
  npm ci --prefix "$store" --no-audit --no-fund
fi

python=.tools/python
ffmpeg=.tools/ffmpeg9/ffmpeg
# Written last: what was left half done is done again.
stamp=$python/requirements.sha256
wanted=$(sha256sum scripts/requirements.txt)

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x "$ffmpeg" ]; then exit 0; fi

echo "Fetching the Python packages of the tests (70 MB, once)"
rm -rf "$python"
python3 -m venv "$python"
"$python/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
  -r scripts/requirements.txt

shopt -s nullglob
binaries=("$python"/lib/python3*/site-packages/imageio_ffmpeg/binaries/ffmpeg-linux-*)
if [ ${#binaries[@]} -ne 1 ]; then
  echo "tools.sh: expected one ffmpeg in imageio-ffmpeg, found ${#binaries[@]}" >&2
  exit 3
fi
mkdir -p "$(dirname "$ffmpeg")"
ln -sfn "$PWD/${binaries[0]}" "$ffmpeg"
chmod +x "${binaries[0]}"
"$ffmpeg" -hide_banner -version | sed -n '1p'
echo "$wanted" >"$stamp"
