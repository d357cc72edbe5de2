#!/usr/bin/env python3
"""Usage: strict_m3u8.py FILE|URL...

Reads each playlist with PyPI's m3u8 in strict mode. Exit status: 0 all are valid; 1 otherwise; 2 usage.
"""

import sys
import urllib.request

import m3u8


def text_of(place):
    if place.startswith(("http://", "https://")):
        with urllib.request.urlopen(place, timeout=10) as answer:
            return answer.read().decode("utf-8")
    with open(place, encoding="utf-8") as file:
        return file.read()


def main(places):
    if not places:
        print(__doc__, file=sys.stderr)
        return 2
    worst = 0
    for place in places:
        try:
            playlist = m3u8.M3U8(text_of(place), strict=True)
            count = len(playlist.segments) or len(playlist.playlists)
            if count == 0:
                raise ValueError("no segments")
            print(f"{place}: valid, {count} entries")
        except Exception as error:  # whatever the parser finds is a finding
            print(f"{place}: {error!r}", file=sys.stderr)
            worst = 1
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
