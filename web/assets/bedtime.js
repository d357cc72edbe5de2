// The sleep timer. Pure: times in, how much of picture and sound is left out.

/** What can be chosen, in minutes. */
export const LENGTHS = [15, 30, 60, 90];
/** How long sound and picture take to fade, in milliseconds: longer than it takes to notice. */
export const FADE_MS = 60_000;

/** Returns how things stand at a moment: { left, fade, over }; `left` in whole minutes, counted up, `fade` from 1 (all there)
 *  to 0 (gone). Without a time to sleep at, nothing fades. */
export function bedtime(until, now) {
  if (!until) return { left: 0, fade: 1, over: false };
  const rest = until - now;
  const fade = Math.min(1, Math.max(0, rest / FADE_MS));
  return { left: Math.max(0, Math.ceil(rest / 60_000)), fade, over: rest <= 0 };
}

/** Returns which length a press on the sleep key means, as on a remote control: the next longer one, after the last none. */
export function nextLength(minutes) {
  return LENGTHS.find((length) => length > (minutes ?? 0)) ?? null;
}

/** Returns a stored bedtime that still holds; null where it is over, or further off than can be chosen. */
export function stillHolds(until, now) {
  const rest = until - now;
  return rest > 0 && rest <= LENGTHS.at(-1) * 60_000 ? until : null;
}
