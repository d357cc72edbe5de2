// The wall of channels: a still of each, what is on, how far in, what is next; the one looked at moves.
import { ask, at, byline, clock, timeline } from './guide.js';
import { coming } from './coming.js';
import { Glow } from './wall-glow.js';
import { Keys } from './wall-keys.js';
import { strings } from './strings.js';
import { Window } from './window.js';

/** How often the station is asked, how often the progress lines move, and how often a still is replaced, in milliseconds.
 *  The last is told by the clock, so that all viewers ask for the same address and a cache in between makes one of it. */
const EVERY_MS = 10_000;
const MOVE_MS = 1000;
const STILL_MS = 20_000;
/** When a still is asked for again that did not come, in milliseconds. */
const AGAIN_MS = 5000;
/** Up to so many channels have room, and more than so many are shown small. */
const [SOME, MANY] = [12, 24];
const TINTS = 6;

const list = document.getElementById('channels');
const status = document.getElementById('status');
const template = document.getElementById('row').content.firstElementChild;
const picture = new Window(document.getElementById('moving').content.firstElementChild.cloneNode());
const glow = new Glow(document.getElementById('glow'));
let told = null;
let offset = 0;

async function read() {
  try {
    told = await ask('/api/channels');
    offset = Date.parse(told.server_time) - Date.now();
    status.textContent = '';
  } catch {
    status.textContent = strings.unreachable;
  }
  show();
}

function show() {
  document.getElementById('clock').textContent = clock(Date.now());
  if (!told) return look();
  list.dataset.count = String(told.channels.length);
  list.classList.toggle('some', told.channels.length <= SOME);
  list.classList.toggle('many', told.channels.length > MANY);
  while (list.children.length > told.channels.length) list.lastElementChild.remove();
  told.channels.forEach((channel, i) => {
    const row = list.children[i] ?? list.appendChild(template.cloneNode(true));
    if (row.dataset.id !== channel.id) become(row, channel, i);
    update(row, channel);
  });
  look();
}

/** The channel that is pointed at moves, or else the first that has something on. */
function look() {
  const pointed = list.querySelector('.channel:hover, .channel:focus-within') ?? list.querySelector('.channel.looked-at:not(.off)');
  const row = pointed ?? list.querySelector('.channel:not(.off)');
  if (row && !row.classList.contains('looked-at')) {
    list.querySelector('.looked-at')?.classList.remove('looked-at');
    row.classList.add('looked-at');
  }
  const moves = row && !row.classList.contains('off');
  picture.show(moves ? row.querySelector('.screen') : null, moves ? `/channels/${row.dataset.id}/index.m3u8` : null, { atOnce: !pointed });
  glow.of(row?.querySelector('.screen') ?? null);
}

function become(row, channel, i) {
  row.dataset.id = channel.id;
  row.dataset.tint = String(i % TINTS);
  row.firstElementChild.href = channel.urls.page;
  row.querySelector('img')?.remove();
  row.querySelector('.number').textContent = String(i + 1);
}

function update(row, channel) {
  const part = (name) => row.querySelector(`.${name}`);
  const set = (name, text) => {
    if (part(name).textContent !== text) part(name).textContent = text;
  };
  const { now, next, position } = at(timeline(channel), Date.now() + offset);
  const off = { starting: strings.starting, recovering: strings.recovering, off: strings.off }[channel.state] ?? (next ? strings.soon : strings.offAir);
  const showing = now && !now.slate && channel.state !== 'off';
  row.classList.toggle('off', !showing);
  set('name', channel.name);
  set('title', showing ? now.title : off);
  const left = showing ? strings.left(Math.ceil((now.end - now.start) / 60_000 - position / 60)) : '';
  set('byline', showing ? [byline(now), left].filter(Boolean).join(' · ') : channel.reason ?? '');
  part('progress').firstElementChild.style.width = showing ? `${(100_000 * position) / (now.end - now.start)}%` : '0';
  const soon = next ? strings.next(clock(next.start), next.title) : '';
  if (part('next').dataset.told !== soon) {
    part('next').dataset.told = soon;
    part('next').replaceChildren(...coming(next));
  }
  still(row, channel, showing && ['on_air', 'recovering'].includes(channel.state));
}

/** Keeps the still of a channel young, while it is on the screen; one that did not come is asked for again. */
function still(row, channel, showing) {
  const screen = row.querySelector('.screen');
  let image = screen.querySelector('img');
  if (!showing) return image?.remove();
  const age = Math.floor((Date.now() + offset) / STILL_MS);
  if (!image) {
    image = Object.assign(new Image(480, 270), { alt: '', loading: 'lazy', decoding: 'async', className: 'away' });
    screen.prepend(image);
    row.dataset.still = '';
  }
  // It may have failed before anybody listened.
  const failed = image.complete && image.naturalWidth === 0 && image.src !== '';
  image.classList.toggle('away', failed || image.src === '');
  // The page comes with stills of its own, which are young enough at first.
  if (row.dataset.still === undefined && !failed) row.dataset.still = String(age);
  const again = failed && Date.now() - Number(row.dataset.tried ?? 0) > AGAIN_MS;
  if ((row.dataset.still === String(age) && !again) || !seen(row)) return;
  row.dataset.still = String(age);
  row.dataset.tried = String(Date.now());
  const url = `/channels/${channel.id}/thumbnail.jpg?t=${age}${again ? `.${Date.now()}` : ''}`;
  if (image.src === '') {
    image.src = url;
    return;
  }
  const next = Object.assign(new Image(), { src: url });
  // One that does not come leaves the last where it is.
  next.decode().then(() => (image.src = url)).catch(() => {});
}

/** Whether somebody may see it: nothing is fetched for tiles that are scrolled away. */
function seen(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

show();
read();
new Keys(list, document.getElementById('osd'));
for (const event of ['pointerover', 'pointerleave', 'focusin', 'focusout']) list.addEventListener(event, look);
setInterval(() => document.hidden || read(), EVERY_MS);
setInterval(() => document.hidden || show(), MOVE_MS);
document.addEventListener('visibilitychange', () => document.hidden || read());
