// The line on which one sees how far a film is, and goes elsewhere in it.
import { length } from './guide.js';
import { strings } from './strings.js';

/** How far keys go, in seconds. */
export const STEP_S = 10;
const LEAP_S = 60;

export class Bar {
  #video;
  #player;
  #ui;
  #duration;
  #dragged = false;

  constructor(video, player, ui, duration) {
    this.#video = video;
    this.#player = player;
    this.#ui = ui;
    this.#duration = duration;
    const { scrub, hover } = ui;
    scrub.setAttribute('aria-label', strings.film.scrub);
    scrub.addEventListener('input', () => {
      this.#dragged = true;
      this.#show();
    });
    scrub.addEventListener('change', () => {
      this.#dragged = false;
      player.seek(Number(scrub.value));
      this.#show();
    });
    scrub.addEventListener('keydown', (event) => this.#key(event));
    scrub.addEventListener('pointermove', (event) => this.#point(event));
    for (const event of ['pointerleave', 'pointercancel']) scrub.addEventListener(event, () => (hover.hidden = true));
    for (const event of ['timeupdate', 'seeking', 'durationchange', 'progress']) video.addEventListener(event, () => this.#show());
    this.#show();
  }

  /** Goes so many seconds further, or back. */
  step(seconds) {
    this.#player.seek(Math.min(this.#player.place + seconds, this.#duration - 1));
    this.#show();
  }

  /** Goes to a part of the film, 0 to 1. */
  part(part) {
    this.#player.seek(this.#duration * part);
    this.#show();
  }

  #key(event) {
    const by = { ArrowRight: STEP_S, ArrowLeft: -STEP_S, PageUp: LEAP_S, PageDown: -LEAP_S }[event.key];
    if (by === undefined) return;
    this.step(by);
    event.preventDefault();
  }

  /** Tells which moment lies under the pointer. */
  #point({ clientX }) {
    const { scrub, hover } = this.#ui;
    const { left, width } = scrub.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (clientX - left) / width));
    hover.hidden = false;
    hover.textContent = length(part * this.#duration);
    hover.style.left = `${part * 100}%`;
  }

  #show() {
    const { scrub, elapsed, left } = this.#ui;
    const duration = this.#duration;
    if (!this.#dragged) scrub.value = String(this.#player.place);
    const at = Number(scrub.value);
    const percent = (seconds) => `${duration > 0 ? Math.min(100, (seconds / duration) * 100) : 0}%`;
    scrub.style.setProperty('--filled', percent(at));
    scrub.style.setProperty('--stored', percent(this.#stored()));
    const told = length(at);
    if (elapsed.textContent === told) return;
    elapsed.textContent = told;
    left.textContent = `−${length(Math.max(0, duration - at))}`;
    scrub.setAttribute('aria-valuetext', strings.elapsed(told, length(duration)));
  }

  /** Up to where the picture is here already. */
  #stored() {
    const { buffered, currentTime } = this.#video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= currentTime + 0.5 && buffered.end(i) >= currentTime) return buffered.end(i);
    }
    return currentTime;
  }
}
