// The guide's page: a grid where there is room, a list in the hand, and the programme that the address names.
import { ask, clock } from './guide.js';
import { Details } from './guide-details.js';
import { Grid } from './guide-grid.js';
import { List } from './guide-list.js';
import { Programmes, timed } from './guide-data.js';
import { follow } from './reminders.js';
import { strings } from './strings.js';

/** How far the guide goes back and ahead, how often it is drawn anew, and how long the evening lasts that one can still go
 *  to, in milliseconds. */
const BACK_MS = 3 * 3_600_000;
const AHEAD_MS = 27 * 3_600_000;
const DRAW_MS = 10_000;
const EVENING_HOUR = 20;
const EVENING_LASTS_MS = 2 * 3_600_000;

const $ = (id) => document.getElementById(id);
const narrow = matchMedia('(max-width: 48rem)');
const data = new Programmes();
const half = 1_800_000;
const from = Math.floor((data.now - BACK_MS) / half) * half;
const to = from + BACK_MS + AHEAD_MS;
let view = null;
/** Whether the programme that is shown was opened here, and is a step of the history. */
let pushed = false;

const details = new Details($('details'), data, (key) => {
  // Back goes where one came from, and not through every programme that was opened.
  if (location.hash && pushed) history.back();
  else if (location.hash) history.replaceState(null, '', location.pathname);
  pushed = false;
  if (key && view instanceof Grid) view.focus(key);
  view?.draw();
});

function arrange() {
  view?.leave();
  view = narrow.matches ? new List($('guide'), data, from, to, $('pick')) : new Grid($('guide'), data, from, to);
  $('tools').hidden = false;
  look();
}

/** Fetches what is seen, and draws it. */
async function look() {
  if (document.hidden) return;
  await data.want(...(data.channels.length === 0 ? [data.now - 600_000, data.now + 1_800_000] : view.seen));
  view.draw();
}

function evening() {
  const at = new Date(data.now);
  at.setHours(EVENING_HOUR, 0, 0, 0);
  const tonight = data.now < at.getTime() + EVENING_LASTS_MS;
  if (!tonight) at.setDate(at.getDate() + 1);
  return { tonight, moment: at.getTime() };
}

function words() {
  $('day').textContent = strings.guide.today(new Date(data.now).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' }));
  $('clock').textContent = clock(Date.now());
  $('evening').textContent = evening().tonight ? strings.guide.evening : strings.guide.tomorrowEvening;
}

/** Opens the programme that the address names: one that is known, or one that its channel knows of. */
async function named() {
  const key = decodeURIComponent(location.hash.slice(1));
  if (!key) return details.open && details.close();
  const dash = key.lastIndexOf('-');
  const [id, serial] = [key.slice(0, dash), Number(key.slice(dash + 1))];
  const one = data.all().find((known) => known.key === key) ?? (await asked(id, serial));
  if (decodeURIComponent(location.hash.slice(1)) !== key) return;
  if (!one) return void ($('status').textContent = strings.guide.gone);
  $('status').textContent = '';
  if (!details.open) view.go(one.start, one.channel, false);
  details.show(one);
}

async function asked(id, serial) {
  const told = await ask(`/api/channels/${encodeURIComponent(id)}`).catch(() => null);
  const all = told ? [...(told.aired ?? []), ...(told.now ? [told.now] : []), ...(told.next ?? [])] : [];
  const one = all.find((known) => known.serial === serial);
  const channel = data.channels.find((known) => known.id === id);
  return one && channel && timed(one, channel);
}

for (const [id, text] of [['now', strings.guide.now], ['closer', strings.guide.closer], ['farther', strings.guide.farther]]) {
  if (id === 'now') $(id).textContent = text;
  else $(id).title = text;
  $(id).setAttribute('aria-label', text);
}
$('tools').setAttribute('aria-label', strings.guide.tools);
$('pick').setAttribute('aria-label', strings.guide.pick);
$('now').addEventListener('click', () => view.go(data.now));
$('evening').addEventListener('click', () => view.go(evening().moment));
$('closer').addEventListener('click', () => view.zoom?.(true));
$('farther').addEventListener('click', () => view.zoom?.(false));

data.addEventListener('told', () => {
  $('status').textContent = '';
  follow(data.all());
  view.draw();
});
data.addEventListener('lost', () => ($('status').textContent = strings.unreachable));

// Opening a programme leaves the guide where it is: only its name is put into the address.
$('guide').addEventListener('click', (event) => {
  const link = event.target.closest('a[href*="#"]');
  if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  const one = link.one ?? link.closest('li')?.one;
  history.pushState(null, '', `#${one.key}`);
  pushed = true;
  details.show(one);
});
for (const event of ['hashchange', 'popstate']) addEventListener(event, named);
addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() !== 'n' || event.metaKey || event.ctrlKey || event.altKey || details.open || event.target.matches?.('select')) return;
  view.go(data.now);
});

let scrolled = 0;
$('guide').addEventListener('scroll', () => {
  clearTimeout(scrolled);
  scrolled = setTimeout(look, 120);
}, { capture: true, passive: true });
narrow.addEventListener('change', arrange);
document.addEventListener('visibilitychange', look);
setInterval(() => {
  words();
  look();
}, DRAW_MS);

words();
arrange();
data.addEventListener('told', named, { once: true });
