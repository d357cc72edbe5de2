// Where to begin, where a moment lies, and what is in store. Pure.

/** Nobody begins nearer to the edge than this, in seconds, whatever the clocks say. */
const LEAST_S = 4;

/** Returns how far behind the live edge to begin, in seconds, where a segment begins. Pictures are decoded from the
 *  beginning of their segment, so that is shown first which is decoded first. `fragments` are those of the playlist in
 *  order, each with its `start`; `edge` is the end of the last. Where it is known when everybody else is (`wished`, in
 *  seconds behind the edge), as near to that as can be; else at least `least`. */
export function syncAtSegment(fragments, edge, least, wished = null) {
  const begins = fragments.map(({ start }) => edge - start);
  if (wished === null) {
    const enough = begins.filter((behind) => behind >= least);
    return enough.length > 0 ? Math.min(...enough) : least;
  }
  const off = (behind) => Math.abs(behind - wished);
  const enough = begins.filter((behind) => behind >= LEAST_S).sort((a, b) => off(a) - off(b));
  return enough[0] ?? least;
}

/** Returns how many seconds before the live edge a moment was on air, a date in milliseconds; null without dates. */
export function behindEdge(fragments, moment) {
  const last = fragments.at(-1);
  return last?.programDateTime ? last.programDateTime / 1000 + last.duration - moment / 1000 : null;
}

/** Returns where in the player's time a moment lies, a date in milliseconds; null where the playlist does not hold it. */
export function placeOf(fragments, moment) {
  for (const { programDateTime, start, duration } of fragments) {
    const into = (moment - programDateTime) / 1000;
    if (programDateTime && into >= 0 && into < duration) return start + into;
  }
  return null;
}

/** Returns the moment that lies at a place in the player's time, as a date in milliseconds; null where the playlist does not
 *  hold it. */
export function momentAt(fragments, place) {
  const at = fragments.find(({ start, duration }) => place >= start && place < start + duration);
  return at?.programDateTime ? at.programDateTime + (place - at.start) * 1000 : null;
}

/** Returns where in the player's time a moment lies, or the first after it that there is; null where there is none. */
export function placeNear(fragments, moment) {
  return placeOf(fragments, moment) ?? fragments.find(({ programDateTime }) => programDateTime >= moment)?.start ?? null;
}

/** Returns how many seconds are in store on both sides of a place: { ahead, behind }, by the ranges that a media element has. */
export function stored(ranges, place) {
  for (let i = 0; i < ranges.length; i += 1) {
    const [ahead, behind] = [ranges.end(i) - place, place - ranges.start(i)];
    if (ahead >= 0 && behind >= 0) return { ahead, behind };
  }
  return { ahead: 0, behind: 0 };
}
