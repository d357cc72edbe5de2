// All who watch a channel see the same moment. Pure: how late one is goes in, a rate or a leap comes out.

/** How far behind the station's clock everybody is, in seconds. A segment of 2 s is published when it is over, is asked for
 *  up to 2 s later, may be 1 s in a cache, and takes its time to come: 9 s leave four in store. */
const DELAY_S = 9;
/** The same where segments are long: originals may have keyframes up to 6.5 s apart. */
const LONG_DELAY_S = 13;
const LONG_SEGMENT_S = 4;
/** How many of the newest segments are looked at for that. */
const NEWEST = 6;

/** Nearer than this is together, in seconds: sound that far apart between two rooms is not heard as two. Once at it, the
 *  rest is made good as well, so that it lasts. */
const NEAR_S = 0.05;
const DONE_S = 0.015;
/** How much faster or slower the picture goes, by how far off it is in seconds. Nobody hears three hundredths. */
const RATES = [[0.25, 0.03], [0.1, 0.02], [0, 0.01]];
/** Further off than this is made good by a leap; and already from less, while the picture has hardly begun. */
const LEAP_S = 3;
const FRESH_LEAP_S = 1.2;
const FRESH_MS = 1500;
/** How long a leap is given before the next, and how many there may be on one channel, in milliseconds. */
const LEAP_REST_MS = 20_000;
const LEAPS_MAX = 4;
/** Nobody is hurried who has less in store than this, or ran dry a moment ago, in seconds and milliseconds. */
const STORE_S = 3;
const DRY_REST_MS = 12_000;
/** Who ran dry so often within so long has a line that needs the greater delay. */
const DRY_MAX = 3;
const DRY_WITHIN_MS = 120_000;

/** Returns how far behind the station's clock the viewers of a channel are, in seconds, by its playlist's fragments: the
 *  same for all who read the same playlist. */
export function delayOf(fragments) {
  const longest = Math.max(0, ...fragments.slice(-NEWEST).map(({ duration }) => duration));
  return longest > LONG_SEGMENT_S ? LONG_DELAY_S : DELAY_S;
}

export class Together {
  #began = null;
  #correcting = false;
  #leaptAt = -Infinity;
  #leaps = 0;
  #dried = [];

  /** Another channel, or the same from its beginning: the picture has not begun. */
  begins() {
    this.#began = null;
    this.#correcting = false;
    this.#leaptAt = -Infinity;
    this.#leaps = 0;
  }

  /** The picture ran dry. */
  dry(now) {
    if (this.#began === null) return;
    this.#dried = [...this.#dried, now].filter((at) => now - at < DRY_WITHIN_MS).slice(-DRY_MAX);
  }

  /** Returns what to do for a picture that plays: { rate, leap }, the leap in seconds, nought for none. `late` is how far it
   *  is behind the others, below nought where it is ahead of them, null while unknown; `store` how many seconds are in store
   *  before it and behind it; `now` a time in milliseconds. */
  steer(late, { ahead, behind }, now) {
    this.#began ??= now;
    if (late === null || !Number.isFinite(late)) return { rate: 1, leap: 0 };
    const off = Math.abs(late);
    const leap = this.#leap(late, off, ahead, behind, now);
    if (leap) return { rate: 1, leap };
    this.#correcting = off > (this.#correcting ? DONE_S : NEAR_S);
    if (!this.#correcting || (late > 0 && !this.#mayHurry(ahead, now))) return { rate: 1, leap: 0 };
    const [, by] = RATES.find(([from]) => off >= from);
    return { rate: 1 + Math.sign(late) * by, leap: 0 };
  }

  #leap(late, off, ahead, behind, now) {
    const from = now - this.#began < FRESH_MS ? FRESH_LEAP_S : LEAP_S;
    if (off < from || now - this.#leaptAt < LEAP_REST_MS || this.#leaps >= LEAPS_MAX) return 0;
    // Only to where there is something to show, and something left to show after it.
    if (late > 0 ? ahead < late + STORE_S || this.#isDry(now) : behind < off) return 0;
    this.#leaptAt = now;
    this.#leaps += 1;
    return late;
  }

  #mayHurry(ahead, now) {
    return ahead >= STORE_S && !this.#isDry(now);
  }

  #isDry(now) {
    const lately = this.#dried.filter((at) => now - at < DRY_WITHIN_MS);
    return lately.length >= DRY_MAX || lately.some((at) => now - at < DRY_REST_MS);
  }
}
