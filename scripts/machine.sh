#!/usr/bin/env bash
# Usage: machine.sh run|test|bench|players|lint|image...
# Installs the packages of the system that are missing for running or testing, and only those.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1; }

missing=()
need() { missing+=("$@"); }

for purpose in "$@"; do
  case $purpose in
  run)
    # setpriv and prlimit set the limits of every child; they are on every Debian, but not in every container.
    if ! has setpriv || ! has prlimit; then need util-linux; fi
    if ! has ffmpeg || ! has ffprobe; then need ffmpeg; fi
    # SQLite is compiled in.
    if ! has cc; then need build-essential; fi
    # The demo films are captioned; thin letters suit the night.
    if [ ! -e /usr/share/fonts/truetype/dejavu/DejaVuSans-ExtraLight.ttf ]; then need fonts-dejavu; fi
    if [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then need ca-certificates; fi
    ;;
  test)
    if ! has chromium && ! has chromium-browser && ! has google-chrome; then need chromium; fi
    if ! has node; then need nodejs; fi
    if ! has npm; then need npm; fi
    if ! has python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then need python3-venv; fi
    # promtool judges metrics, rules and alerts; prometheus itself reads stations.
    if ! has promtool || ! has prometheus; then need prometheus; fi
    # Makes the certificates of a test.
    if ! has openssl; then need openssl; fi
    # Judges the unit; no systemd needs to run.
    if ! has systemd-analyze; then need systemd; fi
    ;;
  bench)
    # What the station is measured beside, and what asks both.
    if ! has nginx && [ ! -x /usr/sbin/nginx ]; then need nginx-light; fi
    if ! has wrk; then need wrk; fi
    if ! has liquidsoap; then need liquidsoap; fi
    ;;
  lint)
    if ! has node; then need nodejs; fi
    if ! has npm; then need npm; fi
    if ! has python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then need python3-venv; fi
    # Only reads docker-compose.yml; no engine is needed.
    if ! has docker-compose && ! docker compose version >/dev/null 2>&1; then need docker-compose; fi
    ;;
  image)
    if ! has buildah; then need buildah; fi
    if ! has debootstrap; then need debootstrap; fi
    if ! has curl; then need curl; fi
    ;;
  players)
    # What viewers watch with: 31 MB, installed in half a minute.
    if ! has mpv; then need mpv; fi
    if ! has vlc; then need vlc-bin vlc-plugin-base; fi
    if ! has streamlink; then need streamlink; fi
    # Looks for tuners as the library of their maker does.
    if ! has hdhomerun_config; then need hdhomerun-config; fi
    # Judges programme guides.
    if ! has tv_validate_file; then need xmltv-util; fi
    if ! has gst-launch-1.0; then
      need gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-libav
    fi
    ;;
  *)
    echo "machine.sh: no such purpose: $purpose (run, test, bench, players, lint or image)" >&2
    exit 2
    ;;
  esac
done

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if ! has apt-get; then
  echo "These are missing, and there is no apt-get to install them with: ${missing[*]}" >&2
  exit 3
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! has sudo; then
    echo "These are missing; as root: apt-get install ${missing[*]}" >&2
    exit 3
  fi
  as_root=(sudo)
fi

# Debian starts the servers that it installs. The tests start their own, and nobody asked for another on every address.
# (`systemctl unmask prometheus` takes this back.)
if [[ " ${missing[*]} " == *" prometheus "* ]] && has systemctl; then
  "${as_root[@]}" systemctl mask --quiet prometheus.service 2>/dev/null || true
fi

# The same for nginx, which listens on every address and would be met there.
if [[ " ${missing[*]} " == *" nginx-light "* ]] && has systemctl; then
  "${as_root[@]}" systemctl mask --quiet nginx.service 2>/dev/null || true
fi

echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
