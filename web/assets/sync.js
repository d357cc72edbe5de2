// Where to begin. Pure.

/** Returns how far behind the live edge to begin, in seconds: at least `least`, and where a segment begins. Pictures are
 *  decoded from the beginning of their segment, so that is shown first which is decoded first. `fragments` are those of
 *  the playlist in order, each with its `start`; `edge` is the end of the last. */
export function syncAtSegment(fragments, edge, least) {
  const begins = fragments.map(({ start }) => edge - start).filter((behind) => behind >= least);
  return begins.length > 0 ? Math.min(...begins) : least;
}
