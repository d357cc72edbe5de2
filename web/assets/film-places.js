// Where a viewer was in which film. Pure, but for what this device remembers.
import { keep, kept } from './kept.js';

/** How many films are remembered; the one that was left the longest ago goes. */
const FILMS_MAX = 200;
/** Who saw less has not begun; and who has less to go, or saw such a part of it, has seen it: in seconds, and of the whole. */
const BEGUN_S = 20;
const SEEN_S = 20;
const SEEN_PART = 0.97;
/** Where one goes on, a little is told again, in seconds. */
const AGAIN_S = 3;

/** Returns where to go on in a film of so many seconds that was left at a second; 0 for its beginning. */
export function goesOnAt(left, duration) {
  const seen = left > Math.min(duration - SEEN_S, duration * SEEN_PART);
  return !(left >= BEGUN_S) || !(duration > 0) || seen ? 0 : left - AGAIN_S;
}

/** Returns the films that are remembered, after one more was left at a second: { name: [seconds, duration, when] }. One that
 *  was seen, or not begun, is forgotten. */
export function remembered(films, name, seconds, duration, when) {
  const others = Object.entries(films).filter(([other, place]) => other !== name && Array.isArray(place));
  const all = goesOnAt(seconds, duration) > 0 ? [...others, [name, [Math.round(seconds), Math.round(duration), when]]] : others;
  return Object.fromEntries(all.sort(([, a], [, b]) => b[2] - a[2]).slice(0, FILMS_MAX));
}

/** Returns all films that were begun on this device. */
export function places() {
  return kept('films');
}

/** Remembers where a film was left. */
export function leave(name, seconds, duration) {
  keep('films', remembered(places(), name, seconds, duration, Date.now()));
}
