// Night: a dim picture, quiet sound, and a set that turns itself off. Remembered on this device.
import { LENGTHS, bedtime, nextLength, stillHolds } from './bedtime.js';
import { Hush } from './hush.js';
import { keep, kept } from './kept.js';
import { Popover } from './menu.js';
import { strings } from './strings.js';

/** How dark the veil is, in percent, at first and at most: something is to be seen. */
const DIM = 45;
const DIM_MAX = 85;
const words = strings.night;

export class Night {
  #ui;
  #acts;
  #hush;
  #popover;
  #wish;
  #warned = false;
  asleep = false;

  /** `acts`: fade(0..1) the sound, sleep(), wake(), say(text) to everybody, show(text) on the screen. */
  constructor(video, ui, acts) {
    this.#ui = ui;
    this.#acts = acts;
    this.#hush = new Hush(video);
    this.#popover = new Popover(ui.button, ui.sheet, words.name);
    const { on, dim, soft, minutes, until } = kept('night');
    this.#wish = {
      on: on === true, dim: dim >= 0 && dim <= DIM_MAX ? dim : DIM, soft: soft !== false,
      minutes: LENGTHS.includes(minutes) ? minutes : null, until: stillHolds(until, Date.now()),
    };
    this.#furnish();
    setInterval(() => this.#tick(), 1000);
    this.#apply();
  }

  toggle(open) {
    this.#popover.toggle(open);
  }

  /** Turns night on or off. */
  turn(on = !this.#wish.on) {
    this.#change({ on });
    this.#acts.say(on ? words.isOn : words.isOff);
  }

  /** Goes to the next length of the sleep timer, as the key on a remote control does. */
  next() {
    this.sleepIn(nextLength(this.#wish.until ? this.#wish.minutes : null));
    const { minutes } = this.#wish;
    this.#acts.show(minutes ? words.sleepShort(minutes) : words.sleepOff);
  }

  /** Sleeps in so many minutes; never for null. */
  sleepIn(minutes) {
    this.#warned = false;
    this.#change({ minutes, until: minutes ? Date.now() + minutes * 60_000 : null });
    this.#acts.say(minutes ? words.sleepsIn(minutes) : words.sleepsNot);
  }

  /** Comes back from sleep. */
  wake() {
    if (!this.asleep) return;
    this.asleep = false;
    this.#ui.asleep.hidden = true;
    document.body.classList.remove('asleep');
    this.#tick();
    this.#acts.wake();
  }

  #furnish() {
    const { sheet, button, asleep } = this.#ui;
    const told = (name, text) => (sheet.querySelector(`[data-told=${name}]`).textContent = text);
    for (const name of ['name', 'on', 'dim', 'soft', 'sleep']) told(name, words[name]);
    const times = sheet.querySelector('.lengths');
    for (const minutes of [null, ...LENGTHS]) {
      const time = document.createElement('button');
      Object.assign(time, { type: 'button', textContent: minutes ?? words.never });
      time.setAttribute('aria-label', minutes ? words.minutes(minutes) : words.never);
      time.addEventListener('click', () => this.sleepIn(minutes));
      times.append(time);
    }
    this.#part('on').addEventListener('click', () => this.turn());
    this.#part('soft').addEventListener('click', () => this.#change({ on: true, soft: !(this.#wish.soft && this.#wish.on) }));
    const dim = this.#part('dim');
    dim.max = DIM_MAX;
    dim.setAttribute('aria-label', words.dim);
    // Whoever moves it wants to see what it does.
    dim.addEventListener('input', () => this.#change({ on: true, dim: Number(dim.value) }));
    asleep.querySelector('b').textContent = words.goodNight;
    asleep.querySelector('span').textContent = words.comeBack;
    asleep.addEventListener('click', () => this.wake());
    button.title = words.button;
  }

  #part(name) {
    return this.#ui.sheet.querySelector(`[data-part=${name}]`);
  }

  #change(wish) {
    Object.assign(this.#wish, wish);
    keep('night', this.#wish);
    this.#apply();
  }

  #apply() {
    const { on, dim, soft, minutes, until } = this.#wish;
    document.body.classList.toggle('night', on);
    this.#ui.veil.style.opacity = on ? dim / 100 : 0;
    this.#hush.set(on && soft);
    this.#part('on').setAttribute('aria-checked', String(on));
    this.#part('soft').setAttribute('aria-checked', String(on && soft));
    this.#part('dim').value = dim;
    this.#part('dim').style.setProperty('--filled', `${(100 * dim) / DIM_MAX}%`);
    const holds = until ? LENGTHS.indexOf(minutes) + 1 : 0;
    [...this.#ui.sheet.querySelector('.lengths').children].forEach((time, n) => time.setAttribute('aria-pressed', String(n === holds)));
    this.#ui.button.classList.toggle('lit', on || Boolean(until));
    this.#tick();
  }

  #tick() {
    const { left, fade, over } = bedtime(this.#wish.until, Date.now());
    const name = left ? words.buttonLeft(left) : words.button;
    if (this.#ui.button.getAttribute('aria-label') !== name) {
      this.#ui.button.setAttribute('aria-label', name);
      this.#ui.button.title = name;
      this.#ui.left.textContent = left || '';
    }
    if (this.asleep) return;
    this.#ui.dark.style.opacity = 1 - fade;
    document.body.classList.toggle('dusk', fade < 1);
    this.#acts.fade(fade);
    if (fade < 1 && !over && !this.#warned) {
      this.#warned = true;
      this.#acts.show(words.soon);
      this.#acts.say(words.soonSaid);
    }
    if (over) this.#sleep();
  }

  #sleep() {
    this.asleep = true;
    this.#wish.until = null;
    keep('night', this.#wish);
    this.#popover.toggle(false);
    this.#ui.asleep.hidden = false;
    document.body.classList.add('asleep');
    this.#acts.sleep();
    this.#ui.asleep.focus({ preventScroll: true });
    this.#apply();
  }
}
