// Going back: a bar over what was on, with the programmes marked on it, and the way to their beginnings.
import { clock, length } from './guide.js';
import { NOW_MS, marksOf, reachOf, startOf, titleAt, within } from './past.js';
import { strings } from './strings.js';

/** How often the bar follows the picture, and how long keys are waited for before the picture follows them, in
 *  milliseconds. */
const EVERY_MS = 500;
const KEYS_MS = 350;
/** How far keys go on the bar, in seconds. */
const KEYS = { ArrowLeft: -10, ArrowDown: -10, ArrowRight: 10, ArrowUp: 10, PageDown: -60, PageUp: 60 };
const words = strings.rewind;

export class Rewind {
  #player;
  #programme;
  #acts;
  #ui;
  /** Where the viewer is about to go, in milliseconds; null for nowhere. */
  #aim = null;
  #timer = 0;
  #marked = '';

  /** `acts`: show(text) on the screen, say(text) to everybody, awake() keeps the controls. */
  constructor(player, programme, stage, acts) {
    this.#player = player;
    this.#programme = programme;
    this.#acts = acts;
    this.#ui = build(stage);
    const { bar, over } = this.#ui;
    bar.addEventListener('input', () => this.#aimAt(this.#momentOf(bar.value)));
    bar.addEventListener('change', () => this.#go());
    bar.addEventListener('keydown', (event) => this.#key(event));
    bar.addEventListener('pointermove', (event) => this.#hover(event));
    for (const name of ['pointerleave', 'blur']) bar.addEventListener(name, () => this.#aim === null && this.#point(null));
    over.addEventListener('click', () => this.over());
    setInterval(() => this.#tick(), EVERY_MS);
    this.#tick();
  }

  /** Between which moments one may go; null where one may not. */
  get reach() {
    return reachOf(this.#programme.rewind, this.#player.now);
  }

  /** Goes so many seconds on, or back. */
  step(seconds) {
    const { reach } = this;
    if (!reach) return;
    const moment = within(reach, (this.#aim ?? this.#player.playingDate ?? reach.to) + seconds * 1000);
    this.#aimAt(moment);
    const text = this.#behind(reach, moment);
    this.#acts.show(text);
    this.#timer = setTimeout(() => this.#go(), KEYS_MS);
  }

  /** Shows the programme that is seen from its beginning. */
  over() {
    this.again(this.#programme.seen.now);
  }

  /** From where a programme can be shown again; null where it cannot. */
  startOf(airing) {
    return startOf(airing, this.reach);
  }

  /** Shows a programme from its beginning. */
  again(airing) {
    const start = this.startOf(airing);
    if (start === null) return;
    this.#acts.say(words.again(airing.title));
    this.#player.goTo(start);
    this.#tick();
  }

  #aimAt(moment) {
    clearTimeout(this.#timer);
    this.#aim = moment;
    this.#acts.awake();
    this.#tick();
    this.#point(moment);
  }

  #go() {
    clearTimeout(this.#timer);
    const [aim, { reach }] = [this.#aim, this];
    this.#aim = null;
    this.#point(null);
    if (aim === null || !reach) return;
    if (aim > reach.to - NOW_MS) this.#player.live();
    else this.#player.goTo(aim);
    this.#acts.say(this.#told(reach, aim));
  }

  #key(event) {
    const { reach } = this;
    const by = KEYS[event.key];
    if (!reach || event.metaKey || event.ctrlKey || event.altKey) return;
    if (by) this.step(by);
    else if (event.key === 'Home') this.step((reach.from - reach.to) / 1000);
    else if (event.key === 'End') this.#player.live();
    else return;
    event.preventDefault();
  }

  #hover(event) {
    const { reach } = this;
    if (!reach || event.pointerType === 'touch' || event.buttons) return;
    const { left, width } = this.#ui.bar.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    this.#point(reach.from + share * (reach.to - reach.from));
  }

  /** Tells over the bar what was on at a moment; nothing for null. */
  #point(moment) {
    const { reach } = this;
    const { there } = this.#ui;
    there.hidden = moment === null || !reach;
    if (there.hidden) return;
    there.textContent = [clock(moment), titleAt(this.#programme.airings, moment)].filter(Boolean).join('\u2002');
    there.style.setProperty('--at', (moment - reach.from) / (reach.to - reach.from));
  }

  #momentOf(value) {
    return this.reach ? this.reach.to + Number(value) * 1000 : null;
  }

  #behind(reach, moment) {
    return moment > reach.to - NOW_MS ? strings.live : `−${length((reach.to - moment) / 1000)}`;
  }

  #told(reach, moment) {
    if (moment > reach.to - NOW_MS) return strings.live;
    return words.there(clock(moment), titleAt(this.#programme.airings, moment), length((reach.to - moment) / 1000));
  }

  #tick() {
    const { reach } = this;
    const [player, told, ui] = [this.#player, this.#programme.rewind, this.#ui];
    player.past = reach && { url: told.playlist, from: reach.from };
    ui.box.hidden = !reach;
    document.body.classList.toggle('kept', Boolean(reach));
    if (!reach) return;
    const away = player.behind && player.playingDate !== null;
    const moment = within(reach, this.#aim ?? (away ? player.playingDate : reach.to));
    const span = Math.round((reach.to - reach.from) / 1000);
    const value = Math.round((moment - reach.to) / 1000);
    ui.bar.min = -span;
    ui.bar.value = value;
    ui.bar.style.setProperty('--filled', `${100 * (1 + value / span)}%`);
    const text = this.#told(reach, moment);
    if (ui.bar.getAttribute('aria-valuetext') !== text) ui.bar.setAttribute('aria-valuetext', text);
    ui.back.textContent = moment > reach.to - NOW_MS ? '' : this.#behind(reach, moment);
    ui.over.disabled = this.startOf(this.#programme.seen.now) === null;
    this.#mark(reach);
  }

  #mark(reach) {
    const marks = marksOf(this.#programme.airings, reach).map(({ share }) => share.toFixed(3));
    if (marks.join() === this.#marked) return;
    this.#marked = marks.join();
    this.#ui.marks.replaceChildren(...marks.map((share) => {
      const mark = document.createElement('i');
      mark.style.setProperty('--at', share);
      return mark;
    }));
  }
}

function build(stage) {
  const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }));
  const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/assets/rewind.css' });
  document.head.append(style);
  const box = Object.assign(document.createElement('div'), { className: 'past', hidden: true });
  stage.insertBefore(box, document.getElementById('controls'));
  const over = make('button', 'round', box);
  Object.assign(over, { type: 'button', id: 'over', title: words.over });
  over.setAttribute('aria-label', words.over);
  over.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5.500 12a7 7 0 1 0 2.200-5.100L5.500 9M5.500 4.500V9H10"/></svg>';
  const track = make('div', 'track', box);
  const marks = make('div', 'marks', track);
  marks.setAttribute('aria-hidden', 'true');
  const bar = make('input', 'slider', track);
  Object.assign(bar, { type: 'range', id: 'scrub', min: -1, max: 0, step: 1, value: 0 });
  bar.setAttribute('aria-label', words.bar);
  const there = make('span', 'there', track);
  there.setAttribute('aria-hidden', 'true');
  there.hidden = true;
  const back = make('span', 'back', box);
  back.setAttribute('aria-hidden', 'true');
  return { box, over, bar, marks, there, back };
}
