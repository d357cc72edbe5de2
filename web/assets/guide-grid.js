// The guide as a grid: a row a channel, time to the right. Only what is seen is in the page, whatever the station's size.
import { clock } from './guide.js';
import { hourWidth, markEvery } from './guide-data.js';
import { has } from './reminders.js';
import { strings } from './strings.js';

/** How many rows and how much of the width beyond the edges is drawn, so that scrolling meets no emptiness. */
const ROWS_BEYOND = 3;
const WIDTH_BEYOND = 0.5;
/** How far a mouse must move before it drags, in pixels. */
const DRAG_PX = 6;
/** By how much one press of a button stretches hours. */
const ZOOM = 1.6;
const ZOOM_REM = [6, 2400];
/** Narrower cells say only when it begins, and yet narrower ones not even that, in rem. */
const [ROOM_REM, LITTLE_REM] = [12, 5.5];
const HOUR_MS = 3_600_000;
const TINTS = 6;

export class Grid {
  #box;
  #sheet;
  #times;
  #data;
  #from;
  #to;
  /** How wide an hour is, in rem; null until something is known of the programmes' lengths. */
  #hour = null;
  /** Where it begins: a moment and a channel; none is now. */
  #begin = null;
  #rows = new Map();
  #cells = new Map();
  #marks = new Map();
  #pillWidth = 0;
  #here = null;
  #drawing = 0;

  constructor(place, data, from, to) {
    this.#data = data;
    [this.#from, this.#to] = [from, to];
    this.#box = element('div', 'grid');
    this.#box.setAttribute('role', 'region');
    this.#box.setAttribute('aria-label', strings.guide.grid);
    this.#sheet = this.#box.appendChild(element('div', 'sheet'));
    this.#sheet.append(element('div', 'corner'));
    this.#times = this.#sheet.appendChild(element('div', 'times'));
    this.#times.setAttribute('aria-hidden', 'true');
    this.line = this.#sheet.appendChild(element('div', 'line-now'));
    this.tag = this.#times.appendChild(element('span', 'tag-now'));
    this.tag.append(element('i'));
    place.replaceChildren(this.#box);
    this.#box.addEventListener('scroll', () => this.draw(), { passive: true });
    this.#box.addEventListener('keydown', (event) => this.#key(event));
    this.#box.addEventListener('focusin', (event) => event.target.dataset.key && (this.#here = event.target.dataset.key));
    this.#box.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#drags();
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.#box);
  }

  leave() {
    this.watch.disconnect();
    cancelAnimationFrame(this.#drawing);
  }

  /** The times that are seen, in milliseconds. */
  get seen() {
    const { scrollLeft, clientWidth } = this.#box;
    return [this.#moment(scrollLeft), this.#moment(scrollLeft + clientWidth - this.#head)];
  }

  /** Goes to a moment, a little after the left edge, and to a channel's row. */
  go(moment, channel, smooth = true) {
    // Nothing is drawn yet: it begins there.
    if (this.#hour === null) return void (this.#begin = [moment, channel]);
    const left = Math.max(0, this.#x(moment) - 6 * this.#rem);
    const place = this.#data.channels.findIndex(({ id }) => id === channel);
    const top = place < 0 ? this.#box.scrollTop : Math.max(0, place * this.#row - this.#box.clientHeight / 3);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches || !smooth;
    this.#box.scrollTo({ left, top, behavior: still ? 'auto' : 'smooth' });
  }

  /** Makes hours longer or shorter, round the moment in the middle. */
  zoom(closer) {
    const [from, to] = this.seen;
    this.#hour = Math.min(ZOOM_REM[1], Math.max(ZOOM_REM[0], this.#hour * (closer ? ZOOM : 1 / ZOOM)));
    this.#measure();
    this.#box.scrollLeft = this.#x((from + to) / 2) - (this.#box.clientWidth - this.#head) / 2;
    this.draw();
  }

  /** Draws what is seen, with the next frame. */
  draw() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  /** Puts the keyboard on a programme. */
  focus(key) {
    this.#here = key;
    this.#draw();
    this.#cells.get(key)?.focus({ preventScroll: true });
  }

  get #rem() {
    return parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  get #row() {
    return 4.4 * this.#rem;
  }

  get #head() {
    return this.#times.previousElementSibling.offsetWidth;
  }

  #x(moment) {
    return ((moment - this.#from) / HOUR_MS) * this.#hour * this.#rem;
  }

  #moment(x) {
    return this.#from + (x / (this.#hour * this.#rem)) * HOUR_MS;
  }

  #measure() {
    this.#sheet.style.width = `${this.#head + this.#x(this.#to)}px`;
    this.#sheet.style.height = `${2.4 * this.#rem + this.#data.channels.length * this.#row}px`;
  }

  #draw() {
    const { channels, now } = this.#data;
    if (channels.length === 0) return;
    if (this.#hour === null) {
      this.#hour = hourWidth(this.#data.all().filter((one) => !one.slate).map(({ start, end }) => end - start));
      this.#measure();
      this.go(...(this.#begin ?? [now, null]), false);
    }
    this.#measure();
    const beyond = (this.seen[1] - this.seen[0]) * WIDTH_BEYOND;
    const [from, to] = [this.seen[0] - beyond, this.seen[1] + beyond];
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / this.#row) - ROWS_BEYOND);
    const last = Math.min(channels.length, Math.ceil((scrollTop + clientHeight) / this.#row) + ROWS_BEYOND);
    const wanted = new Set();
    for (const [place, channel] of channels.entries()) {
      const holdsFocus = document.activeElement?.dataset.row === channel.id;
      if ((place >= first && place < last) || holdsFocus) this.#drawRow(channel, place, Math.max(from, this.#from), Math.min(to, this.#to), wanted);
    }
    for (const [map, keep] of [[this.#rows, (row) => row.dataset.drawn === 'yes'], [this.#cells, (_, key) => wanted.has(key)]]) {
      for (const [key, drawn] of map) {
        if (keep(drawn, key) || drawn.contains(document.activeElement)) continue;
        drawn.remove();
        map.delete(key);
      }
    }
    for (const row of this.#rows.values()) delete row.dataset.drawn;
    // One of them is where Tab comes in.
    const entry = this.#cells.get(this.#here) ?? this.#box.querySelector('a.cell.on') ?? this.#box.querySelector('a.cell');
    for (const cell of this.#box.querySelectorAll('a.cell')) cell.tabIndex = cell === entry ? 0 : -1;
    this.#drawTimes(from, to);
  }

  #drawRow(channel, place, from, to, wanted) {
    let row = this.#rows.get(channel.id);
    if (!row) {
      row = element('div', 'row');
      row.setAttribute('role', 'group');
      const head = row.appendChild(Object.assign(element('a', 'row-head'), { href: channel.page, draggable: false }));
      head.append(element('span', 'number'), element('span', 'name'));
      this.#rows.set(channel.id, row);
      this.#sheet.append(row);
    }
    row.dataset.drawn = 'yes';
    row.dataset.tint = String(place % TINTS);
    row.style.top = `${2.4 * this.#rem + place * this.#row}px`;
    row.setAttribute('aria-label', channel.name);
    row.querySelector('.number').textContent = String(channel.number);
    row.querySelector('.name').textContent = channel.name;
    for (const one of this.#data.of(channel.id, from, to)) {
      wanted.add(one.key);
      this.#drawCell(row, one);
    }
  }

  #drawCell(row, one) {
    let cell = this.#cells.get(one.key);
    if (!cell) {
      cell = element(one.slate ? 'div' : 'a', 'cell');
      const words = cell.appendChild(element('span'));
      words.append(element('b'), element('small'));
      cell.dataset.key = one.key;
      if (!one.slate) Object.assign(cell, { href: `/guide#${one.key}`, draggable: false });
      this.#cells.set(one.key, cell);
    }
    if (cell.parentElement !== row) row.append(cell);
    const { now } = this.#data;
    const [left, right] = [this.#x(Math.max(one.start, this.#from)), this.#x(Math.min(one.end, this.#to))];
    cell.one = one;
    cell.dataset.row = one.channel;
    cell.style.left = `${this.#head + left + 1}px`;
    cell.style.width = `${Math.max(3, right - left - 2)}px`;
    const on = one.start <= now && now < one.end;
    cell.className = `cell${one.slate ? ' slate' : ''}${on ? ' on' : one.end <= now ? ' past' : ''}${!one.slate && has(one) ? ' kept' : ''}`;
    const [title, times] = cell.firstElementChild.children;
    const said = one.slate ? strings.guide.slate : one.title;
    const span = one.slate || right - left < LITTLE_REM * this.#rem ? '' : right - left < ROOM_REM * this.#rem ? clock(one.start) : `${clock(one.start)}–${clock(one.end)}`;
    if (title.textContent !== said) title.textContent = said;
    if (times.textContent !== span) times.textContent = span;
    // Slivers have no room for words, and are read to those who listen all the same.
    cell.firstElementChild.hidden = right - left < 2.6 * this.#rem;
    const whole = `${clock(one.start)}–${clock(one.end)}`;
    if (!one.slate) cell.setAttribute('aria-label', strings.guide.cell(one.title, whole, one.name));
    cell.title = one.slate ? said : `${said} · ${whole}`;
  }

  #drawTimes(from, to) {
    const step = markEvery(this.#hour);
    const wanted = new Set();
    // Whole hours of the viewer's own clock, which need not be those of Greenwich.
    const zone = new Date(from).getTimezoneOffset() * 60_000;
    for (let at = Math.floor((from - zone) / step) * step + zone; at < Math.min(to, this.#to); at += step) {
      if (at < this.#from - step) continue;
      const key = `${at} ${step}`;
      wanted.add(key);
      let mark = this.#marks.get(key);
      if (!mark) {
        mark = this.#times.appendChild(element('span'));
        const midnight = new Date(at).getHours() === 0 && new Date(at).getMinutes() === 0;
        mark.classList.toggle('day', midnight);
        mark.textContent = midnight ? new Date(at).toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short' }) : clock(at);
        this.#marks.set(key, mark);
      }
      mark.style.left = `${this.#head + this.#x(at)}px`;
    }
    for (const [key, mark] of this.#marks) {
      if (wanted.has(key)) continue;
      mark.remove();
      this.#marks.delete(key);
    }
    this.#drawNow();
  }

  #drawNow() {
    const { now } = this.#data;
    const x = this.#head + this.#x(now);
    this.line.style.left = `${x}px`;
    this.tag.style.left = `${x}px`;
    const pill = this.tag.firstElementChild;
    if (pill.textContent !== clock(now)) {
      pill.textContent = clock(now);
      this.#pillWidth = 0;
    }
    this.#pillWidth ||= pill.offsetWidth;
    // Half a time behind another one cannot be read. Widths are measured once: measuring makes the browser lay out the page.
    for (const mark of this.#marks.values()) {
      mark.width ||= mark.offsetWidth;
      const from = parseFloat(mark.style.left) - x;
      mark.classList.toggle('covered', from < this.#pillWidth / 2 && from + mark.width > -this.#pillWidth / 2);
    }
  }

  #key(event) {
    const one = document.activeElement?.one;
    if (!one || event.metaKey || event.ctrlKey || event.altKey) return;
    const { channels } = this.#data;
    const row = channels.findIndex(({ id }) => id === one.channel);
    const reach = [this.#from, this.#to];
    const found = {
      ArrowLeft: () => this.#beside(one, -1, reach),
      ArrowRight: () => this.#beside(one, 1, reach),
      ArrowUp: () => this.#at(row - 1, -1, one, reach),
      ArrowDown: () => this.#at(row + 1, 1, one, reach),
      Home: () => this.#at(row, 0, { ...one, start: this.#data.now, end: this.#data.now }, reach),
      PageUp: () => this.#at(Math.max(0, row - 6), 1, one, reach),
      PageDown: () => this.#at(Math.min(channels.length - 1, row + 6), -1, one, reach),
    }[event.key];
    if (!found) return;
    event.preventDefault();
    const next = found();
    if (!next) return;
    this.#show(next);
    this.focus(next.key);
  }

  #beside(one, way, [from, to]) {
    const all = this.#data.of(one.channel, from, to).filter((other) => !other.slate);
    return all[all.findIndex(({ key }) => key === one.key) + way];
  }

  /** Returns the programme of a row that is on at the same time, or of the next row that has one. */
  #at(row, way, one, [from, to]) {
    const middle = Math.max(one.start, this.seen[0]);
    for (let place = row; this.#data.channels[place]; place += way) {
      const all = this.#data.of(this.#data.channels[place].id, from, to).filter((other) => !other.slate);
      const found = all.find((other) => other.end > middle) ?? all.at(-1);
      if (found || way === 0) return found;
    }
    return null;
  }

  /** Brings a programme into view by the shortest way. */
  #show(one) {
    const place = this.#data.channels.findIndex(({ id }) => id === one.channel);
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.#box;
    const [left, right] = [this.#x(one.start), this.#x(one.end)];
    const width = clientWidth - this.#head;
    if (left < scrollLeft || right > scrollLeft + width) this.#box.scrollLeft = Math.max(0, left - Math.min(4 * this.#rem, Math.max(0, width - (right - left))));
    const [top, room] = [place * this.#row, clientHeight - 2.4 * this.#rem];
    if (top < scrollTop) this.#box.scrollTop = top;
    else if (top + this.#row > scrollTop + room) this.#box.scrollTop = top + this.#row - room;
  }

  /** A wheel that has nothing to roll down rolls along the day. */
  #wheel(event) {
    if (event.deltaX !== 0 || event.ctrlKey || event.shiftKey || this.#box.scrollHeight > this.#box.clientHeight + 1) return;
    event.preventDefault();
    this.#box.scrollLeft += event.deltaY;
  }

  /** A mouse takes hold of the sheet; fingers do without help. */
  #drags() {
    let held = null;
    this.#box.addEventListener('pointerdown', (event) => {
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      held = { x: event.clientX, y: event.clientY, left: this.#box.scrollLeft, top: this.#box.scrollTop, moved: false };
    });
    addEventListener('pointermove', (event) => {
      if (!held) return;
      const [x, y] = [event.clientX - held.x, event.clientY - held.y];
      if (!held.moved && Math.hypot(x, y) < DRAG_PX) return;
      held.moved = true;
      this.#box.classList.add('dragged');
      this.#box.scrollTo(held.left - x, held.top - y);
    });
    addEventListener('pointerup', () => {
      this.#box.classList.remove('dragged');
      // The click that follows is the end of the drag, and opens nothing.
      if (held?.moved) addEventListener('click', (event) => event.preventDefault(), { capture: true, once: true });
      if (held?.moved) setTimeout(() => (held = null));
      else held = null;
    });
  }
}

function element(name, className = '') {
  return Object.assign(document.createElement(name), { className });
}
