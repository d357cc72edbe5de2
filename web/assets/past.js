// How far back one may go, and what was on there. Pure.

/** So much of the oldest is left alone, in milliseconds: it is about to go. */
const GOES_MS = 12_000;
/** Less than this is not worth going back to, in milliseconds. */
const LEAST_MS = 20_000;
/** Nearer to what is on now than this is now, in milliseconds. */
export const NOW_MS = 5000;
/** How many beginnings of programmes are marked. */
const MARKS_MAX = 60;

/** Returns between which moments one may go, { from, to } in milliseconds: `told` is what the station says, { from,
 *  window_seconds }, `now` what everybody sees. Null where one may not. */
export function reachOf(told, now) {
  if (!told || now === null) return null;
  const from = Math.max(Date.parse(told.from), now - told.window_seconds * 1000) + GOES_MS;
  return now - from >= LEAST_MS ? { from, to: now } : null;
}

/** Returns the moment within the reach that is nearest to one. */
export function within({ from, to }, moment) {
  return Math.min(to, Math.max(from, moment));
}

/** Returns the programmes without the cards between them; one that was taken up again after a break is one. */
export function programmes(airings) {
  const all = [];
  for (const airing of airings.filter(({ slate }) => !slate)) {
    const last = all.at(-1);
    if (last && last.serial !== null && last.serial === airing.serial) all[all.length - 1] = { ...last, end: airing.end };
    else all.push(airing);
  }
  return all;
}

/** Returns where programmes begin: { share, title }, the share from 0, the oldest moment, to 1, now. */
export function marksOf(airings, { from, to }) {
  const begun = programmes(airings).filter(({ start }) => start > from && start < to).slice(-MARKS_MAX);
  return begun.map(({ start, title }) => ({ share: (start - from) / (to - from), title }));
}

/** Returns the title of what was on at a moment; an empty one where that is not known. */
export function titleAt(airings, moment) {
  return programmes(airings).findLast(({ start, end }) => start <= moment && moment < end)?.title ?? '';
}

/** Returns the moment from which a programme can be seen again: its beginning, or the oldest of it that is there. Null where
 *  nothing of it is, or it has hardly begun. */
export function startOf(airing, reach) {
  if (!airing || airing.slate || !reach || airing.end <= reach.from || airing.start > reach.to - NOW_MS) return null;
  return within(reach, airing.start);
}
