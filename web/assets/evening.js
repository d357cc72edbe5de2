// The programme of the channel that is watched: what was on, what is on and what comes, by the viewer's own clock.
import { byline, clock } from './guide.js';
import { strings } from './strings.js';

/** How many programmes are told of each kind. */
const EARLIER_MAX = 8;
const LATER_MAX = 10;
/** How often it is looked whether something has changed, in milliseconds. */
const EVERY_MS = 1000;

/** Returns the rows for a moment: { when: 'earlier' | 'now' | 'later', airing }. Cards are no programmes, and an airing that was
 *  taken up again after a break is told once, from when it began. */
export function rows(airings, moment) {
  const once = [];
  for (const airing of airings.filter(({ slate }) => !slate)) {
    const last = once.at(-1);
    if (last && last.serial !== null && last.serial === airing.serial) once[once.length - 1] = { ...last, end: airing.end };
    else once.push(airing);
  }
  const told = once.map((airing) => ({ airing, when: airing.start > moment ? 'later' : airing.end > moment ? 'now' : 'earlier' }));
  // Two cannot be on: the later one is, and the other was cut short.
  const on = told.findLastIndex(({ when }) => when === 'now');
  const of = (kind, list) => list.filter(({ when }) => when === kind);
  const before = told.slice(0, Math.max(0, on)).map(({ airing }) => ({ airing, when: 'earlier' }));
  const earlier = on < 0 ? of('earlier', told) : before;
  return [...earlier.slice(-EARLIER_MAX), ...(on < 0 ? [] : [told[on]]), ...of('later', told).slice(0, LATER_MAX)];
}

export class Evening {
  #programme;
  #again;
  #list;
  #shown = '';

  /** `again` shows a programme from its beginning: play(airing); startOf(airing) is null where it cannot. */
  constructor(programme, again, { panel, list, heading }) {
    this.#programme = programme;
    this.#again = again;
    this.#list = list;
    heading.textContent = strings.evening.name;
    panel.setAttribute('aria-label', strings.evening.name);
    setInterval(() => document.hidden || this.#show(), EVERY_MS);
  }

  #show() {
    const told = rows(this.#programme.airings, this.#programme.moment);
    const { library } = this.#programme;
    const shown = JSON.stringify([library, told.map(({ when, airing }) => [when, Math.round(airing.start / 1000), airing.title, airing.description, airing.on_demand, this.#isKept(when, airing)])]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const groups = ['earlier', 'now', 'later'].map((kind) => group(kind, told.filter(({ when }) => when === kind), (when, airing) => this.#button(when, airing))).filter(Boolean);
    const films = library ? [link('films', library, strings.allFilms)] : [];
    this.#list.replaceChildren(...(groups.length > 0 ? groups : [part('p', 'none', strings.evening.none)]), ...films);
    // What is on is what one looks for; what was on lies above it.
    const now = this.#list.querySelector('.now');
    if (now) this.#list.parentElement.scrollTop = now.offsetTop - this.#list.parentElement.clientHeight / 3;
  }

  #isKept(when, airing) {
    return when !== 'later' && this.#again.startOf(airing) !== null;
  }

  #button(when, airing) {
    if (!this.#isKept(when, airing)) return null;
    const words = strings.rewind;
    const button = part('button', 'again', when === 'now' ? words.startOver : words.watch);
    button.type = 'button';
    if (when !== 'now') button.setAttribute('aria-label', words.watchOf(airing.title));
    button.addEventListener('click', () => this.#again.play(airing));
    return button;
  }
}

function group(when, told, button) {
  if (told.length === 0) return null;
  const box = part('div', when, '');
  const list = part('ol', '', '');
  list.append(...told.map(({ airing }) => line(airing, when === 'now', button(when, airing))));
  box.append(part('h3', '', strings.evening[when]), list);
  return box;
}

function line(airing, on, button) {
  const row = part('li', '', '');
  const time = part('time', '', clock(airing.start));
  time.dateTime = new Date(airing.start).toISOString();
  const by = [byline(airing), strings.evening.long(Math.round(airing.duration_seconds))].filter(Boolean).join(' · ');
  const body = part('div', '', '');
  const title = part('b', '', airing.on_demand ? '' : airing.title);
  if (airing.on_demand) title.append(link('demand', airing.on_demand, airing.title, strings.watchIt(airing.title)));
  body.append(title, part('span', 'by', by));
  if (on) row.setAttribute('aria-current', 'true');
  if (on && airing.description) body.append(part('p', 'words', airing.description));
  if (button) body.append(button);
  row.append(time, body);
  return row;
}

/** `name` is what is read out, where that says more. */
function link(className, href, text, name = text) {
  return Object.assign(part('a', className, text), { href, ariaLabel: name, title: name });
}

function part(name, className, textContent) {
  return Object.assign(document.createElement(name), { className, textContent });
}
