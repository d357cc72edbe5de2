// The wall of channels: what is on, how far in, what is next.
import { ask, at, byline, clock, timeline } from './guide.js';
import { coming } from './coming.js';
import { strings } from './strings.js';
import { Window } from './window.js';

/** How often the station is asked, and how often the progress lines move, in milliseconds. */
const EVERY_MS = 10_000;
const MOVE_MS = 1000;

const list = document.getElementById('channels');
const status = document.getElementById('status');
const picture = new Window(document.getElementById('window'));
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
  if (!told) return;
  while (list.children.length > told.channels.length) list.lastElementChild.remove();
  told.channels.forEach((channel, i) => {
    const row = list.children[i] ?? list.appendChild(document.createElement('li'));
    if (row.dataset.id !== channel.id || !row.dataset.full) fill(row, channel, i);
    update(row, channel);
  });
  look();
}

/** The window shows the channel that is pointed at, or else the first that has something on. */
function look() {
  const pointed = list.querySelector('.channel:hover, .channel:focus-within') ?? list.querySelector('.channel.looked-at:not(.off)');
  const row = pointed ?? list.querySelector('.channel:not(.off)');
  const same = row?.classList.contains('looked-at');
  if (row && !same) {
    list.querySelector('.looked-at')?.classList.remove('looked-at');
    row.classList.add('looked-at');
  }
  const channel = told?.channels.find(({ id }) => id === row?.dataset.id);
  const shown = channel && channel.state !== 'off' ? channel.urls.playlist : null;
  picture.show(shown, { atOnce: !pointed });
}

function fill(row, channel, i) {
  row.className = 'channel off';
  row.dataset.id = channel.id;
  row.dataset.full = 'yes';
  row.dataset.tint = String(i % 6);
  const link = document.createElement('a');
  link.href = channel.urls.page;
  for (const name of ['number', 'name', 'title', 'byline', 'progress', 'next']) {
    link.appendChild(Object.assign(document.createElement('span'), { className: name }));
  }
  const progress = link.querySelector('.progress');
  progress.setAttribute('aria-hidden', 'true');
  progress.appendChild(document.createElement('i'));
  row.replaceChildren(link);
  link.querySelector('.number').textContent = String(i + 1);
}

function update(row, channel) {
  const part = (name) => row.querySelector(`.${name}`);
  const set = (name, text) => {
    if (part(name).textContent !== text) part(name).textContent = text;
  };
  const { now, next, position } = at(timeline(channel), Date.now() + offset);
  const off = { starting: strings.starting, recovering: strings.recovering, off: strings.off }[channel.state] ?? (next ? strings.soon : strings.offAir);
  const showing = now && !now.slate;
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
}

show();
read();
for (const event of ['pointerover', 'pointerleave', 'focusin', 'focusout']) list.addEventListener(event, look);
setInterval(() => document.hidden || read(), EVERY_MS);
setInterval(() => document.hidden || show(), MOVE_MS);
document.addEventListener('visibilitychange', () => document.hidden || read());
