// The guide in the hand: one channel, downwards from what is on.
import { byline, clock } from './guide.js';
import { has } from './reminders.js';
import { strings } from './strings.js';

/** How far the list goes at first, and how much is added at its end, in milliseconds. */
const FIRST_MS = 6 * 3_600_000;
const MORE_MS = 4 * 3_600_000;
const EARLIER_MS = 3_600_000;
/** How many programmes are listed at first, and how many are added: a channel of clips has thousands. */
const ROWS = 80;
const TINTS = 6;

export class List {
  #list;
  #data;
  #pick;
  #from;
  #until;
  #to;
  #end;
  #ended;
  #least;
  #most = ROWS;
  #earlier;

  constructor(place, data, from, to, pick) {
    this.#data = data;
    this.#pick = pick;
    [this.#from, this.#to, this.#least] = [data.now, to, from];
    this.#until = Math.min(data.now + FIRST_MS, to);
    this.#list = Object.assign(document.createElement('ol'), { className: 'day-list' });
    this.#end = document.createElement('div');
    this.#earlier = Object.assign(document.createElement('button'), { type: 'button', className: 'chip earlier', textContent: strings.guide.earlier });
    this.#earlier.addEventListener('click', () => this.#back());
    place.replaceChildren(this.#earlier, this.#list, this.#end);
    this.#ended = new IntersectionObserver((seen) => seen.some(({ isIntersecting }) => isIntersecting) && this.#more());
    this.#ended.observe(this.#end);
    this.change = () => this.draw();
    pick.addEventListener('change', this.change);
    pick.hidden = false;
  }

  leave() {
    this.#ended.disconnect();
    this.#pick.removeEventListener('change', this.change);
    this.#pick.hidden = true;
  }

  get seen() {
    return [this.#from, this.#until];
  }

  /** Goes to a moment, and to a channel. */
  async go(moment, channel) {
    if (channel) this.#pick.value = channel;
    this.#until = Math.min(this.#to, Math.max(this.#until, moment + MORE_MS));
    this.#from = Math.max(this.#least, Math.min(this.#from, moment));
    await this.#data.want(...this.seen);
    const before = this.#data.of(this.#pick.value, this.#from, moment).length;
    this.#most = Math.max(this.#most, before + ROWS);
    this.draw();
    const row = [...this.#list.children].find(({ one }) => one && one.end > moment);
    row?.scrollIntoView({ block: 'center' });
  }

  /** Shows what was on before. */
  async #back() {
    this.#from = Math.max(this.#least, this.#from - EARLIER_MS);
    this.#earlier.hidden = this.#from === this.#least;
    await this.#data.want(...this.seen);
    this.#most = Math.max(this.#most, this.#data.of(this.#pick.value, this.#from, this.#data.now).length + ROWS);
    this.draw();
  }

  async #more() {
    const rows = this.#list.children.length;
    if (rows === 0 || (rows < this.#most && this.#until >= this.#to)) return;
    if (rows >= this.#most) this.#most += ROWS;
    else this.#until = Math.min(this.#until + MORE_MS, this.#to);
    await this.#data.want(...this.seen);
    this.draw();
  }

  draw() {
    const { channels, now } = this.#data;
    if (channels.length === 0) return;
    if (this.#pick.length !== channels.length) {
      const chosen = this.#pick.value;
      this.#pick.replaceChildren(...channels.map(({ id, number, name }) => new Option(`${number}  ${name}`, id)));
      if (channels.some(({ id }) => id === chosen)) this.#pick.value = chosen;
    }
    const channel = channels.find(({ id }) => id === this.#pick.value) ?? channels[0];
    this.#list.dataset.tint = String(channels.indexOf(channel) % TINTS);
    let day = new Date(now).toDateString();
    const rows = [];
    for (const one of this.#data.of(channel.id, ...this.seen).slice(0, this.#most)) {
      const date = new Date(Math.max(one.start, now));
      if (date.toDateString() !== day) {
        day = date.toDateString();
        const text = date.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
        rows.push(Object.assign(document.createElement('li'), { className: 'midnight', textContent: text }));
      }
      rows.push(this.#row(one, now));
    }
    if (rows.length === 0) rows.push(Object.assign(document.createElement('li'), { className: 'midnight', textContent: strings.guide.empty }));
    this.#keepFocus(rows);
  }

  /** Puts new rows in the place of the old ones; the keyboard stays on its programme. */
  #keepFocus(rows) {
    const key = document.activeElement?.closest('li')?.one?.key;
    this.#list.replaceChildren(...rows);
    if (key) rows.find(({ one }) => one?.key === key)?.querySelector('a')?.focus({ preventScroll: true });
    // An end that is still seen is not told of again by itself.
    this.#ended.disconnect();
    this.#ended.observe(this.#end);
  }

  #row(one, now) {
    const row = document.createElement('li');
    row.one = one;
    const line = document.createElement(one.slate ? 'div' : 'a');
    if (!one.slate) line.href = `/guide#${one.key}`;
    const on = one.start <= now && now < one.end;
    line.className = `${one.slate ? 'slate' : ''}${on ? ' on' : one.end <= now ? ' past' : ''}${!one.slate && has(one) ? ' kept' : ''}`.trim();
    const time = Object.assign(document.createElement('time'), { textContent: clock(one.start), dateTime: new Date(one.start).toISOString() });
    const title = Object.assign(document.createElement('b'), { textContent: one.slate ? strings.guide.slate : one.title });
    const minutes = strings.guide.minutes(Math.round((one.end - one.start) / 60_000));
    const more = Object.assign(document.createElement('small'), { textContent: [byline(one), minutes].filter(Boolean).join(' · ') });
    line.append(time, title, more);
    row.append(line);
    return row;
  }
}
