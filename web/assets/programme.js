// Now and next, as this viewer sees them: by the date of the picture that is shown, not by the server's present.
import { coming } from './coming.js';
import { ask, at, byline, clock, length, timeline } from './guide.js';
import { nobodyLooks } from './looks.js';
import { strings } from './strings.js';

/** How often the guide is read while nothing changes, and soonest after a failure, in milliseconds. */
const EVERY_MS = 20_000;
const SOONEST_MS = 2000;
/** How often it is asked whether a channel that is off the air is back, in milliseconds: that may take hours. */
const OFF_MS = 5000;

/** How long before a programme begins for this viewer it is asked for again, in milliseconds. By then it has begun at the
 *  live edge, so what is told is what airs, and no longer what was announced. */
const CERTAIN_MS = 3000;

export class Programme {
  #player;
  #ui;
  #id = null;
  #airings = [];
  #told = null;
  #offset = 0;
  #shown = null;
  #readAt = -Infinity;
  #reading = false;

  constructor(player, ui) {
    this.#player = player;
    this.#ui = ui;
    ui.progress.setAttribute('aria-label', strings.progress);
    setInterval(() => this.#tick(), 500);
  }

  /** What this viewer sees at this moment: { now, next, position }. */
  get seen() {
    return at(this.#airings, this.moment);
  }

  /** The moment that this viewer sees, in milliseconds. */
  get moment() {
    return this.#player.playingDate ?? this.#edge();
  }

  /** What was on, is on and comes, as far as it is known. */
  get airings() {
    return this.#airings;
  }

  /** Where all films of the channel are listed; null where they cannot be watched when one likes. */
  get library() {
    return this.#told?.urls.library ?? null;
  }

  /** How far back one may go: { from, window_seconds, playlist }; null where one may not. */
  get rewind() {
    return this.#told?.rewind ?? null;
  }

  /** Whether the station has taken the channel off the air. */
  get off() {
    return this.#told?.state === 'off';
  }

  /** Reads the guide now: something is other than it was. */
  look() {
    if (!this.#reading && this.#id) this.#read(performance.now());
  }

  tune(id) {
    this.#id = id;
    this.#airings = [];
    this.#told = null;
    this.#shown = null;
    this.#readAt = -Infinity;
    this.#reading = false;
    this.#tick();
  }

  #edge() {
    return this.#told?.edge ? Date.parse(this.#told.edge) : Date.now() + this.#offset;
  }

  #tick() {
    const now = performance.now();
    const { now: on, next, position } = this.seen;
    const left = on ? on.end - on.start - position * 1000 : 0;
    const announced = next && left < CERTAIN_MS && Date.parse(this.#told.edge) < next.start;
    const patience = this.off ? OFF_MS : left <= 0 || announced ? SOONEST_MS : EVERY_MS;
    const due = now - this.#readAt > patience;
    if (due && !this.#reading && !nobodyLooks()) this.#read(now);
    this.#show();
  }

  async #read(now) {
    const id = this.#id;
    this.#reading = true;
    this.#readAt = now;
    try {
      const told = await ask(`/api/channels/${id}`);
      if (id !== this.#id) return;
      const turned = this.off !== (told.state === 'off');
      this.#told = told;
      this.#offset = Date.parse(told.server_time) - Date.now();
      this.#airings = timeline(told);
      this.#show();
      if (turned) this.#ui.turned();
    } catch (error) {
      if (id === this.#id && error.status === 404) this.#ui.status(strings.status.gone);
    } finally {
      if (id === this.#id) this.#reading = false;
    }
  }

  #show() {
    if (!this.#told) return;
    const { now, next, position } = this.seen;
    const ui = this.#ui;
    const key = `${this.#id} ${now?.start} ${this.#told.state} ${this.#told.reason ?? ''} ${Boolean(next)}`;
    if (key !== this.#shown) {
      this.#shown = key;
      const quiet = { starting: strings.starting, recovering: strings.recovering, off: strings.off }[this.#told.state];
      ui.title.textContent = now && !now.slate ? now.title : quiet ?? (next ? strings.soon : strings.offAir);
      ui.byline.textContent = byline(now);
      ui.description.textContent = (!now || now.slate ? this.#told.reason : now.description) ?? '';
      document.body.classList.toggle('slate', !now || now.slate);
      document.title = `${now && !now.slate ? `${now.title} · ` : ''}${this.#told.name} · ${document.body.dataset.station}`;
    }
    const timed = Boolean(now && !now.slate && now.end > now.start);
    ui.progress.hidden = !timed;
    const duration = timed ? (now.end - now.start) / 1000 : 0;
    const told = timed ? strings.elapsed(length(position), length(duration)) : '';
    if (ui.elapsed.textContent !== told) {
      ui.elapsed.textContent = told;
      const percent = timed ? Math.round((position / duration) * 1000) / 10 : 0;
      ui.progress.firstElementChild.style.width = `${percent}%`;
      ui.progress.setAttribute('aria-valuenow', String(Math.round(percent)));
      ui.progress.setAttribute('aria-valuetext', told);
    }
    const soon = next ? strings.next(clock(next.start), next.title) : '';
    if (ui.next.dataset.told !== soon) {
      ui.next.dataset.told = soon;
      ui.next.replaceChildren(...coming(next));
    }
  }
}
