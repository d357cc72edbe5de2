// What time it is at the station, to a few milliseconds. Pure: times in, an offset out.

/** How many answers are remembered. Pages ask some six times a minute, so what is remembered is younger than two minutes,
 *  and a clock that drifts is followed. */
const SAMPLES_MAX = 12;
/** This device was asleep, or its clock was set, when its two clocks part by more than this, in milliseconds. */
const JUMP_MS = 250;

export class StationClock {
  #samples = [];
  #apart = null;

  /** Takes an answer: when it was asked for and came, by this device's clock, and what time the station wrote into it.
   *  `steady` is a clock that cannot be set, read when the answer came. All in milliseconds. */
  heard(sent, told, came, steady) {
    if (!Number.isFinite(told) || came < sent) return;
    // Asleep, or set: what was heard before says nothing any more.
    const apart = came - steady;
    if (this.#apart === null || Math.abs(apart - this.#apart) > JUMP_MS) this.#samples = [];
    this.#apart = apart;
    // The station wrote its time somewhere between the two; the middle is wrong by half of the way at most.
    this.#samples.push({ offset: told - (sent + came) / 2, wayMs: came - sent });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  /** How far the station is ahead of this device, in milliseconds, by the answer that was quickest; null before the first. */
  get offset() {
    const best = this.#samples.reduce((a, b) => (b.wayMs <= a.wayMs ? b : a), { offset: null, wayMs: Infinity });
    return best.offset;
  }

  /** What time it is at the station, in milliseconds since the epoch; null while unknown. `device` and `steady` are this
   *  device's two clocks. */
  at(device, steady) {
    const known = this.offset !== null && Math.abs(device - steady - this.#apart) <= JUMP_MS;
    return known ? device + this.offset : null;
  }

  /** What time it is at the station now. */
  now() {
    return this.at(Date.now(), performance.now());
  }
}

/** The clock of the station that this page is from. */
export const stationClock = new StationClock();
