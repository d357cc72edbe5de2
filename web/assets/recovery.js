// What to do when the picture fails. Pure: errors and times in, actions out. It never gives up.

/** First and longest wait before asking the station again, in milliseconds; doubled each time, with jitter, so that
 *  thousands of viewers of a restarted station do not ask in the same instant. */
export const BACK_OFF_MIN_MS = 500;
export const BACK_OFF_MAX_MS = 8000;
/** A second media error within this time means that the gentle cure did not work. */
export const MEDIA_ERROR_WINDOW_MS = 10_000;
/** No progress for this long while playing: something is stuck that reported no error. */
export const STUCK_MS = 8000;
/** While the station is known to be away, how long before even the retries are not trusted any more. */
export const STUCK_WHILE_LOST_MS = 30_000;

/** A device that was asleep for this long knows nothing any more that the station still has, in milliseconds: the window is no
 *  longer. */
export const SLEPT_MS = 20_000;

export class Recovery {
  #wall = NaN;
  #place = NaN;
  #tries = 0;
  #mediaErrors = 0;
  #lastMediaError = -Infinity;
  #progressAt = 0;
  #nudged = false;
  lost = false;

  constructor(now = 0) {
    this.#progressAt = now;
  }

  /** Returns what to do after hls.js gave up on something: { action, delayMs }. `chance` is 0 to 1. */
  failed(kind, now, chance) {
    if (kind === 'media') {
      this.#mediaErrors = now - this.#lastMediaError < MEDIA_ERROR_WINDOW_MS ? this.#mediaErrors + 1 : 1;
      this.#lastMediaError = now;
      if (this.#mediaErrors === 1) return { action: 'recover', delayMs: 0 };
      if (this.#mediaErrors === 2) return { action: 'swap', delayMs: 0 };
      this.#mediaErrors = 0;
      return { action: 'rebuild', delayMs: 500 };
    }
    if (kind === 'network') {
      this.lost = true;
      const step = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MIN_MS * 2 ** Math.min(this.#tries, 10));
      this.#tries += 1;
      return { action: 'reload', delayMs: Math.round(step * (0.5 + chance / 2)) };
    }
    return { action: 'rebuild', delayMs: 1000 };
  }

  /** Media has arrived: the station is there. */
  arrived(now) {
    if (this.lost) this.#progressAt = now;
    this.lost = false;
    this.#tries = 0;
  }

  /** The picture moved, or nobody expects it to. */
  progressed(now) {
    this.#progressAt = now;
    this.#nudged = false;
  }

  /** Returns whether the device was asleep since this was asked last: time went by, and the picture, at `place` in seconds, did
   *  not. `wall` is a clock that goes on meanwhile, in milliseconds. */
  woke(wall, place) {
    const [gone, played] = [wall - this.#wall, (place - this.#place) * 1000];
    this.#wall = wall;
    this.#place = place;
    return gone > SLEPT_MS && played < gone / 2;
  }

  /** Returns what to do about a picture that should move: null, 'nudge' (go to the live edge), then 'rebuild'. */
  watch(now) {
    if (now - this.#progressAt < (this.lost ? STUCK_WHILE_LOST_MS : STUCK_MS)) return null;
    this.#progressAt = now;
    if (!this.#nudged && !this.lost) {
      this.#nudged = true;
      return 'nudge';
    }
    this.#nudged = false;
    return 'rebuild';
  }
}
