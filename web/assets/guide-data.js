// The programmes of all channels, fetched piece by piece as they are looked at.
import { ask } from './guide.js';

/** A piece is this long at first, and halved down to the least where a channel has more in it than one answer tells, in
 *  milliseconds. */
const PIECE_MS = 2 * 3_600_000;
const PIECE_MIN_MS = 15 * 60_000;
/** How old a piece may be before it is fetched again, while somebody looks at it, and how many are kept. */
const FRESH_MS = 60_000;
const PIECES_MAX = 64;

export class Programmes extends EventTarget {
  channels = [];
  station = '';
  /** How far the station's clock is ahead of the viewer's, in milliseconds. */
  offset = 0;
  #piece = PIECE_MS;
  /** By their beginning: when each was fetched, and the programmes of each channel. */
  #pieces = new Map();
  #under = new Map();

  /** The station's present, in milliseconds. */
  get now() {
    return Date.now() + this.offset;
  }

  /** Fetches what is missing or old of a time, with beginning and end in milliseconds. */
  async want(from, to) {
    const firsts = [];
    for (let first = Math.floor(from / this.#piece) * this.#piece; first < to; first += this.#piece) firsts.push(first);
    await Promise.all(firsts.map((first) => this.#fetch(first)));
  }

  async #fetch(first) {
    const size = this.#piece;
    const known = this.#pieces.get(first);
    if (known && Date.now() - known.fetched < FRESH_MS) return;
    if (this.#under.has(first)) return this.#under.get(first);
    const work = this.#ask(first, size).finally(() => this.#under.delete(first));
    this.#under.set(first, work);
    return work;
  }

  async #ask(first, size) {
    const iso = (moment) => new Date(moment).toISOString();
    let told;
    try {
      told = await ask(`/api/guide?from=${iso(first)}&to=${iso(first + size)}`);
    } catch (error) {
      this.dispatchEvent(Object.assign(new Event('lost'), { error }));
      return;
    }
    if (size !== this.#piece) return;
    if (told.channels.some(({ truncated }) => truncated) && size > PIECE_MIN_MS) {
      this.#piece = size / 2;
      this.#pieces.clear();
      return this.want(first, first + size);
    }
    this.offset = Date.parse(told.server_time) - Date.now();
    this.station = told.station;
    this.channels = told.channels.map(({ id, number, name, page, state }) => ({ id, number, name, page, state }));
    const programmes = new Map(told.channels.map((channel) => [channel.id, channel.programmes.map((one) => timed(one, channel))]));
    this.#pieces.delete(first);
    this.#pieces.set(first, { fetched: Date.now(), programmes });
    if (this.#pieces.size > PIECES_MAX) this.#pieces.delete(this.#pieces.keys().next().value);
    this.dispatchEvent(new Event('told'));
  }

  /** Returns what is known of a channel in a time, in order; the newest word counts. */
  of(id, from, to) {
    const found = new Map();
    for (const { programmes } of [...this.#pieces.values()].sort((a, b) => a.fetched - b.fetched)) {
      for (const one of programmes.get(id) ?? []) {
        // The card stays until something comes.
        const end = one.slate && one.stage === 'on_air' ? Infinity : one.end;
        if (one.start < to && end > from) found.set(one.key, { ...one, end });
      }
    }
    return untangled([...found.values()]);
  }

  /** Returns every programme that is known of all channels. */
  all() {
    return [...this.#pieces.values()].flatMap(({ programmes }) => [...programmes.values()].flat());
  }
}

/** Returns a programme of the interface with times in milliseconds and a name of its own. */
export function timed(one, channel) {
  const [start, end] = [Date.parse(one.start), Date.parse(one.end)];
  const key = one.serial === null ? `${channel.id}@${start}` : `${channel.id}-${one.serial}`;
  return { ...one, start, end, key, channel: channel.id, name: channel.name, number: channel.number };
}

/** Puts programmes into order, and lets none reach into the next: of two answers the older may not have known that one
 *  would be cut. */
export function untangled(programmes) {
  const sorted = programmes.sort((a, b) => a.start - b.start || a.end - b.end);
  const seen = [];
  for (const [place, one] of sorted.entries()) {
    const next = sorted[place + 1];
    const end = next ? Math.min(one.end, next.start) : one.end;
    if (end > one.start) seen.push(end === one.end ? one : { ...one, end });
  }
  return seen;
}

/** Returns how wide an hour is drawn, in rem, so that the usual programme has room for its title: `lengths` in
 *  milliseconds. */
export function hourWidth(lengths) {
  const [least, most, wanted] = [14, 1200, 8];
  if (lengths.length === 0) return least;
  const usual = [...lengths].sort((a, b) => a - b)[Math.floor(lengths.length / 2)];
  return Math.min(most, Math.max(least, (wanted * 3_600_000) / usual));
}

/** Returns the time between two marks, in milliseconds, where an hour is so many rem wide. */
export function markEvery(hourRem) {
  const steps = [1, 5, 10, 15, 30, 60, 120].map((minutes) => minutes * 60_000);
  return steps.find((step) => (hourRem * step) / 3_600_000 >= 5.5) ?? steps.at(-1);
}
