// The films of a channel that can be watched when one likes: searched, in order, by letters.
import { places } from './film-places.js';
import { ask, byline } from './guide.js';
import { strings } from './strings.js';

/** How many films come at once, and how long the page waits for another letter of a search, in milliseconds. */
const AT_ONCE = 100;
const TYPED_MS = 200;

const $ = (id) => document.getElementById(id);
const { channel } = document.body.dataset;
const begun = places();
let shown = [];
let asked = 0;
let total = 0;

const wanted = () => ({ q: $('words').value.trim(), order: $('order').value, ready: $('ready').getAttribute('aria-pressed') === 'true' });

/** Asks for the films that fit, from a place on. */
async function read(from = 0) {
  const turn = ++asked;
  const { q, order, ready } = wanted();
  const query = new URLSearchParams({ order, from, limit: AT_ONCE, ...(q && { q }), ...(ready && { ready }) });
  try {
    const told = await ask(`/api/channels/${channel}/library?${query}`);
    // Who typed on wants something else by now.
    if (turn !== asked) return;
    // A channel of which nothing is ready yet tells what it will have.
    if (ready && told.ready === 0 && q === '' && from === 0) return hurry(false);
    shown = from === 0 ? told.items : [...shown, ...told.items];
    total = told.total;
    $('status').textContent = '';
    $('count').textContent = strings.library.count(total, told.ready, ready);
    show();
  } catch (error) {
    if (turn === asked) $('status').textContent = error.status === 404 ? strings.library.closed : strings.unreachable;
  }
}

function hurry(ready) {
  $('ready').setAttribute('aria-pressed', String(ready));
  return read();
}

function show() {
  const lettered = $('order').value === 'title';
  const films = $('films');
  films.className = lettered ? 'films lettered' : 'films';
  const groups = new Map();
  for (const one of shown) {
    const letter = lettered ? initial(one.title) : '';
    groups.set(letter, [...(groups.get(letter) ?? []), one]);
  }
  films.replaceChildren(...[...groups].map(([letter, all]) => group(letter, all)));
  $('more').hidden = shown.length >= total;
}

function initial(title) {
  const first = title.trim().normalize('NFD').charAt(0).toLocaleUpperCase();
  return /\p{L}/u.test(first) ? first : '#';
}

function group(letter, all) {
  const section = part('section', 'letter', '');
  const list = part('ol', '', '');
  list.append(...all.map(row));
  if (letter) section.append(part('h3', '', letter));
  section.append(list);
  return section;
}

function row(film) {
  const line = part('li', '', '');
  const one = part(film.ready ? 'a' : 'div', film.ready ? 'one' : 'one waits', '');
  if (film.ready) one.href = film.page;
  const by = [byline(film), film.ready ? '' : strings.library.waits].filter(Boolean).join(' · ');
  one.append(part('b', '', film.title), part('span', 'long', strings.library.long(film.duration_seconds)), part('span', 'by', by));
  const [seconds, duration] = begun[`${channel}/${film.id}`] ?? [0, 0];
  if (film.ready && seconds > 0 && duration > 0) {
    const progress = part('span', 'progress', '');
    const told = part('span', 'unseen', strings.library.begun(Math.ceil((duration - seconds) / 60)));
    progress.append(part('i', '', ''));
    progress.firstElementChild.style.width = `${(100 * seconds) / duration}%`;
    one.append(progress, told);
  }
  line.append(one);
  return line;
}

function part(name, className, textContent) {
  return Object.assign(document.createElement(name), { className, textContent });
}

/** What one looks for stands in the address, so that it can be kept and sent. */
function changed() {
  const { q, order } = wanted();
  const query = new URLSearchParams({ ...(q && { q }), ...(order !== 'title' && { order }) }).toString();
  history.replaceState(null, '', query ? `?${query}` : location.pathname);
  return read();
}

const given = new URLSearchParams(location.search);
$('words').value = given.get('q') ?? '';
$('order').value = given.get('order') === 'newest' ? 'newest' : 'title';
$('words').placeholder = strings.library.search;
$('words').setAttribute('aria-label', strings.library.search);
$('order').setAttribute('aria-label', strings.library.order);
[...$('order').options].forEach((option, n) => (option.textContent = strings.library.orders[n]));
$('ready').textContent = strings.library.ready;
$('more').textContent = strings.library.more;
$('asks').hidden = false;

let typed = 0;
$('words').addEventListener('input', () => {
  clearTimeout(typed);
  typed = setTimeout(changed, TYPED_MS);
});
$('asks').addEventListener('submit', (event) => {
  event.preventDefault();
  clearTimeout(typed);
  changed();
});
$('order').addEventListener('change', changed);
$('ready').addEventListener('click', () => hurry($('ready').getAttribute('aria-pressed') !== 'true'));
$('more').addEventListener('click', () => read(shown.length));
read();
