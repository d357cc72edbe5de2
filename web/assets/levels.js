// The pictures a channel is offered in, and which of them a viewer's choice means. Pure.

/** Returns the pictures that hls.js knows, largest first: { name, lines, bits, index }. */
export function levelsOf(hls) {
  const levels = (hls?.levels ?? []).map(({ url, height, maxBitrate }, index) => ({
    name: new URL(url[0], location).pathname.split('/').at(-2), lines: height, bits: maxBitrate, index,
  }));
  return levels.sort((a, b) => b.lines - a.lines || b.bits - a.bits);
}

/** Returns which of the pictures is meant, -1 for none: the one of that name and so many lines, else the largest with no
 *  more lines, since whoever chose did so for the line or the screen; else the smallest. */
export function meant(levels, choice) {
  if (!choice || levels.length < 2) return -1;
  const same = levels.findIndex(({ name, lines }) => name === choice.name && lines === choice.lines);
  if (same >= 0) return same;
  const fits = levels.findIndex(({ lines }) => lines <= choice.lines);
  return fits >= 0 ? fits : levels.length - 1;
}
