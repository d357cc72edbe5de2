#!/usr/bin/env bash
# Builds the image of the Dockerfile, starts it and watches a channel from it: by buildah alone, on bases that
# debootstrap makes here. No engine runs, no image is fetched. Takes minutes; KEEP=1 keeps the bases for the next time.
# What it cannot prove: the official bases, an engine's limits and networks, docker-compose.yml as a whole.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "image-test.sh: debootstrap and chroot need root: sudo make image-test" >&2
  exit 3
fi

work=$PWD/.tools/image
suite=bookworm
run_base=localhost/nightcast-test-run-base
build_base=localhost/nightcast-test-build-base
image=localhost/nightcast-test
export BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$work/storage" --runroot "$work/runroot" --storage-driver vfs "$@"; }

runner=
station=
clean() {
  # The station's own process first: what started it ends with it.
  if [ -n "$station" ]; then kill -KILL "$station" 2>/dev/null || true; fi
  if [ -n "$runner" ]; then wait "$runner" 2>/dev/null || true; fi
  buildah rm --all >/dev/null 2>&1 || true
  rm -rf "$work/live"
  if [ -z "${KEEP:-}" ]; then
    buildah rmi --all --force >/dev/null 2>&1 || true
    rm -rf "$work"
  fi
}
trap clean EXIT

step() { printf '\n== %s (after %s s)\n' "$1" "$SECONDS"; }
SECONDS=0
mkdir -p "$work"
rm -rf "$work/live"

if ! buildah inspect --type image "$run_base" >/dev/null 2>&1; then
  step "a bare Debian, by debootstrap"
  rm -rf "$work/root"
  debootstrap --variant=minbase "$suite" "$work/root" >"$work/debootstrap.log" ||
    { tail "$work/debootstrap.log" >&2; exit 1; }
  # As the official bases are: without what was fetched to make them.
  rm -rf "$work/root"/var/cache/apt/archives/*.deb "$work/root"/var/lib/apt/lists/*
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$work/root" / >/dev/null
  buildah commit --quiet "$container" "$run_base" >/dev/null
  buildah rm "$container" >/dev/null
  rm -rf "$work/root"
fi

if ! buildah inspect --type image "$build_base" >/dev/null 2>&1; then
  step "the same with a C compiler and this machine's Rust"
  container=$(buildah from "$run_base")
  buildah run "$container" -- apt-get update -qq
  buildah run --env DEBIAN_FRONTEND=noninteractive "$container" -- \
    apt-get install -y -qq --no-install-recommends gcc libc6-dev binutils >/dev/null 2>&1
  tar -C "$(rustc --print sysroot)" --exclude=./share -cf "$work/rust.tar" .
  buildah add --quiet "$container" "$work/rust.tar" /usr/local/rust >/dev/null
  rm "$work/rust.tar"
  # The packages of Cargo.lock come from this machine's store, so that the build needs no network of its own.
  cargo fetch --locked --quiet
  for part in index cache; do
    from=${CARGO_HOME:-$HOME/.cargo}/registry/$part
    buildah copy --quiet "$container" "$from" "/usr/local/cargo/registry/$part" >/dev/null
  done
  buildah config --env CARGO_HOME=/usr/local/cargo --env CARGO_NET_OFFLINE=true \
    --env PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet "$container" "$build_base" >/dev/null
  buildah rm "$container" >/dev/null
fi

step "the image, by the Dockerfile"
buildah build --isolation chroot --format docker --build-arg "BUILD_BASE=$build_base" --build-arg "RUN_BASE=$run_base" \
  --tag "$image" . >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; exit 1; }
buildah inspect --type image "$image" >"$work/image.json"
# What the image says of itself, word by word.
told() {
  python3 - "$work/image.json" "$@" <<'PY'
import json, sys
value = json.load(open(sys.argv[1]))["Docker"]["config"]
for key in sys.argv[2:]:
    value = value[key]
print(value if isinstance(value, str) else " ".join(value))
PY
}
[ "$(told User)" = 10001 ] || { echo "the image's user is $(told User)" >&2; exit 1; }
[ "$(told Healthcheck Test)" = "CMD nightcast healthcheck" ] || { echo "the image has no healthcheck" >&2; exit 1; }
read -r -a command <<<"$(told Entrypoint) $(told Cmd)"
echo "user 10001, command: ${command[*]}"

step "a station from it"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$work/live/media/one" "$work/live/data"
ffmpeg -hide_banner -v error -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=sample_rate=48000 -t 20 \
  -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac "$work/live/media/one/film.mp4"
cat >"$work/live/channels.toml" <<TOML
[station]
listen = "127.0.0.1:$port"
data = "/var/lib/nightcast"
[[channel]]
id = "one"
name = "One"
folder = "/media/one"
TOML
chmod -R a+rX "$work/live"
chown 10001:10001 "$work/live/data"
container=$(buildah from "$image")
mounts=(
  -v "$work/live/channels.toml:/etc/nightcast/channels.toml:ro"
  -v "$work/live/media:/media:ro"
  -v "$work/live/data:/var/lib/nightcast"
)
inside() { buildah run "${mounts[@]}" "$container" -- "$@"; }
size=$(du -sm "$(buildah mount "$container")" | cut -f 1)
echo "the image takes $size MB"
if inside touch /media/one/stain 2>/dev/null; then
  echo "the films can be written to" >&2
  exit 1
fi
inside "${command[@]}" >"$work/station.log" 2>&1 &
runner=$!

failed() { echo "$1" >&2; tail -n 30 "$work/station.log" >&2; exit 1; }
# Asks until something is there; an event that nobody tells of.
until_there() {
  local what=$1
  shift
  for _ in $(seq 240); do
    if "$@"; then return 0; fi
    kill -0 "$runner" 2>/dev/null || failed "the container ended before $what"
    sleep 0.25
  done
  failed "never came: $what"
}
get() { curl --silent --fail --max-time 10 --output "$work/live/answer" "http://127.0.0.1:$port$1"; }
ready() { get /readyz; }
film() { get /api/channels && grep -q '"slate":false' "$work/live/answer"; }

until_there "a picture" ready
station=$(cat "$work/live/data/lock")
[ "$(awk '/^Uid:/ { print $2 }' "/proc/$station/status")" = 10001 ] || failed "the station does not run as its user"
inside "${command[0]}" healthcheck
until_there "the film" film
page() { get / && grep -qi '<!doctype html>' "$work/live/answer"; }
page || failed "no page"
get /channels/one/index.m3u8 || failed "no playlist"
segment=$(grep '^segments/' "$work/live/answer" | tail -n 1)
get "/channels/one/$segment" || failed "no segment"
ffprobe -v error -show_entries stream=codec_type,codec_name,width -of compact "$work/live/answer"
echo "page, playlist and $segment ($(stat -c %s "$work/live/answer") bytes) come from the container"

step "it stops when it is told to"
kill -TERM "$station"
status=0
wait "$runner" || status=$?
runner=
station=
[ "$status" -eq 0 ] || failed "it ended with code $status"
if inside "${command[0]}" healthcheck 2>/dev/null; then failed "a station that is gone is said to be alive"; fi

step "all is well"
