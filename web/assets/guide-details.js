// One programme: what it is, when, and what can be done about it. Its address is the guide's with its name behind a #.
import { ask, byline, clock } from './guide.js';
import { has, reaches, toggle } from './reminders.js';
import { strings } from './strings.js';

const COPIED_MS = 2500;
const TINTS = 6;

export class Details {
  #dialog;
  #one = null;
  #data;
  #closed;

  /** `closed` is told the key of the programme that was shown. */
  constructor(dialog, data, closed) {
    this.#dialog = dialog;
    this.#data = data;
    this.#closed = closed;
    const part = (name) => dialog.querySelector(`.${name}`);
    part('close').textContent = strings.close;
    part('copy').textContent = strings.guide.copy;
    part('watch').textContent = strings.guide.watch;
    part('close').addEventListener('click', () => dialog.close());
    part('remind').addEventListener('click', () => this.#remind());
    part('copy').addEventListener('click', () => this.#copy());
    part('copy').hidden = !navigator.clipboard;
    // The dark around it closes it, too.
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    dialog.addEventListener('close', () => {
      const key = this.#one?.key;
      this.#one = null;
      this.#closed(key);
    });
  }

  get open() {
    return this.#dialog.open;
  }

  close() {
    this.#dialog.close();
  }

  show(one) {
    this.#one = one;
    const part = (name) => this.#dialog.querySelector(`.${name}`);
    this.#dialog.dataset.tint = String((one.number - 1) % TINTS);
    part('number').textContent = String(one.number);
    part('name').textContent = one.name;
    this.#dialog.querySelector('h2').textContent = one.title;
    const day = new Date(one.start).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
    const minutes = strings.guide.minutes(Math.round((one.end - one.start) / 60_000));
    part('when').textContent = `${day}, ${clock(one.start)}–${clock(one.end)} · ${minutes}`;
    part('byline').textContent = [one.author, one.date].filter(Boolean).join(' · ');
    part('description').textContent = one.description ?? '';
    part('watch').href = `/watch/${encodeURIComponent(one.channel)}`;
    part('demand').hidden = !one.on_demand;
    part('demand').href = one.on_demand ?? '';
    this.#offer();
    if (one.description?.endsWith('…')) this.#whole(one);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
  }

  /** What can be done depends on when it is. */
  #offer() {
    const one = this.#one;
    const { now } = this.#data;
    const part = (name) => this.#dialog.querySelector(`.${name}`);
    part('watch').hidden = !(one.start <= now && now < one.end);
    part('demand').textContent = part('watch').hidden ? strings.onDemand : strings.film.fromStart;
    part('remind').hidden = one.start <= now;
    const kept = has(one);
    part('remind').setAttribute('aria-pressed', String(kept));
    part('remind').textContent = kept ? strings.guide.reminded : strings.guide.remind;
    const honest = reaches() ? strings.guide.honest : strings.guide.honestHere;
    part('honest').textContent = one.end <= now ? strings.guide.aired : kept && one.start > now ? honest : '';
  }

  async #remind() {
    const { channel, name, serial, title, start, end } = this.#one;
    const work = toggle({ channel, name, serial, title, start, end });
    this.#offer();
    await work;
    if (this.#one) this.#offer();
  }

  async #copy() {
    const button = this.#dialog.querySelector('.copy');
    await navigator.clipboard.writeText(`${location.origin}/guide#${this.#one.key}`).catch(() => {});
    button.textContent = strings.guide.copied;
    setTimeout(() => (button.textContent = strings.guide.copy), COPIED_MS);
  }

  /** The guide tells the beginning of a long description, the channel all of it. */
  async #whole(one) {
    const told = await ask(`/api/channels/${encodeURIComponent(one.channel)}`).catch(() => null);
    const all = told ? [...(told.aired ?? []), ...(told.now ? [told.now] : []), ...(told.next ?? [])] : [];
    const whole = all.find(({ serial }) => serial === one.serial)?.description;
    if (whole && this.#one === one) this.#dialog.querySelector('.description').textContent = whole;
  }
}
