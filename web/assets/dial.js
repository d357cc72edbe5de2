// The channel list and the way from one channel to another.
import { ask, at, timeline } from './guide.js';
import { nobodyLooks } from './looks.js';
import { strings } from './strings.js';

/** How often the list is read, and how long digits are collected, in milliseconds. */
const EVERY_MS = 15_000;
const DIGITS_MS = 900;
const OSD_MS = 2600;
/** A viewer who tunes in is about this far behind the server's present, in milliseconds. */
const BEHIND_MS = 8000;

export class Dial {
  channels = [];
  #ui;
  #tune;
  #seen;
  #offset = 0;
  #digits = '';
  #timer = 0;
  #osdTimer = 0;
  current;

  /** `seen` tells the airing that this viewer sees on the present channel. */
  constructor(ui, current, tune, seen) {
    this.#ui = ui;
    this.#tune = tune;
    this.#seen = seen;
    this.current = current;
    ui.heading.textContent = strings.channels;
    ui.nav.setAttribute('aria-label', strings.channels);
    ui.list.addEventListener('click', (event) => {
      const link = event.target.closest('a');
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.go(link.dataset.id);
    });
    setInterval(() => nobodyLooks() || this.read(), EVERY_MS);
    setInterval(() => nobodyLooks() || this.show(), 1000);
    this.read();
  }

  async read() {
    try {
      const told = await ask('/api/channels');
      this.channels = told.channels;
      this.#offset = Date.parse(told.server_time) - Date.now();
    } catch {
      // The list that is shown stays; the player says that the station is away.
      return;
    }
    this.show();
  }

  /** Goes to a channel by id; the address follows, so that back and reload do what they say. */
  go(id, { push = true } = {}) {
    if (id === this.current) return this.osd();
    this.current = id;
    if (push) history.pushState({ id }, '', `/watch/${id}${location.search}`);
    this.#tune(id);
    this.show();
    this.osd();
    const index = this.channels.findIndex((channel) => channel.id === id);
    if (index >= 0) this.#ui.said(strings.tuned(index + 1, this.channels[index].name));
  }

  /** Goes up or down the list, round its ends, past channels that are off the air. */
  step(by) {
    const count = this.channels.length;
    const from = this.channels.findIndex((channel) => channel.id === this.current);
    for (let far = 1; far <= count; far += 1) {
      const channel = this.channels[(from + by * far + count * far) % count];
      if (channel.state !== 'off') return this.go(channel.id);
    }
  }

  /** Collects digits as a remote control does; at once where no longer number can be meant. */
  digit(digit) {
    clearTimeout(this.#timer);
    this.#digits = `${this.#digits}${digit}`.slice(-3);
    this.osd(`${this.#digits}–`);
    const done = () => {
      const channel = this.channels[Number(this.#digits) - 1];
      this.#digits = '';
      if (channel) this.go(channel.id);
      else this.osd();
    };
    if (Number(this.#digits) * 10 > this.channels.length) done();
    else this.#timer = setTimeout(done, DIGITS_MS);
  }

  /** Shows the channel's number for a while, as sets did. */
  osd(text) {
    const index = this.channels.findIndex((channel) => channel.id === this.current);
    this.#ui.osd.textContent = text ?? (index < 0 ? '' : `${index + 1}`);
    // Words are longer than numbers.
    this.#ui.osd.classList.toggle('words', /\p{L}/u.test(text ?? ''));
    this.#ui.osd.classList.add('on');
    clearTimeout(this.#osdTimer);
    this.#osdTimer = setTimeout(() => this.#ui.osd.classList.remove('on'), OSD_MS);
  }

  show() {
    const index = this.channels.findIndex((channel) => channel.id === this.current);
    const channel = this.channels[index];
    this.#ui.number.textContent = index < 0 ? '' : String(index + 1);
    this.#ui.number.parentElement.dataset.tint = String(Math.max(0, index) % 6);
    if (channel) this.#ui.name.textContent = channel.name;
    const alone = this.channels.length < 2;
    for (const button of [this.#ui.up, this.#ui.down, this.#ui.toggle]) button.hidden = alone;
    this.#ui.nav.classList.toggle('alone', alone);
    while (this.#ui.list.children.length > this.channels.length) this.#ui.list.lastElementChild.remove();
    this.channels.forEach((told, i) => this.#row(told, i));
  }

  // Rows are changed, not replaced, so that the keyboard's focus stays where it is.
  #row(told, i) {
    const row = this.#ui.list.children[i] ?? this.#ui.list.appendChild(emptyRow());
    const link = row.firstElementChild;
    const [number, name, now] = link.children;
    link.href = `/watch/${told.id}`;
    link.dataset.id = told.id;
    row.dataset.tint = String(i % 6);
    if (told.id === this.current) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    number.textContent = String(i + 1);
    name.textContent = told.name;
    const guessed = at(timeline(told), Date.now() + this.#offset - BEHIND_MS).now ?? told.now;
    const seen = (told.id === this.current && this.#seen()) || guessed;
    const quiet = told.state === 'off' ? strings.off : strings.offAir;
    const title = seen && !seen.slate ? seen.title : (told.next?.length ? strings.soon : quiet);
    if (now.textContent !== title) now.textContent = title;
  }
}

function emptyRow() {
  const row = document.createElement('li');
  const link = row.appendChild(document.createElement('a'));
  for (const name of ['number', 'name', 'now']) {
    link.appendChild(Object.assign(document.createElement('span'), { className: name }));
  }
  return row;
}
