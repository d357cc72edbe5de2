// Volume and mute, remembered from visit to visit, and the button for browsers that begin in silence.
import { keep, kept } from './kept.js';
import { strings } from './strings.js';

const STEP = 0.05;

export class Sound {
  #video;
  #player;
  #ui;
  /** Whether the viewer asked for silence, as against the browser. */
  #quiet;
  /** What the viewer chose, and how much of it is heard: the sleep timer fades it. */
  #volume;
  #fade = 1;

  constructor(video, player, ui) {
    this.#video = video;
    this.#player = player;
    this.#ui = ui;
    const { volume, quiet } = kept('sound');
    this.#volume = Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1;
    this.#quiet = quiet === true;
    video.volume = this.#volume;
    video.muted = this.#quiet;
    ui.volume.setAttribute('aria-label', strings.volume);
    ui.volume.addEventListener('input', () => this.set(ui.volume.value / 100));
    ui.mute.addEventListener('click', () => this.toggle());
    ui.sound.addEventListener('click', () => this.unmute());
    video.addEventListener('volumechange', () => this.#show());
    player.addEventListener('state', () => this.#show());
    this.#show();
  }

  /** Sets the volume, 0 to 1; any volume above zero is also heard. */
  set(volume) {
    this.#volume = Math.round(Math.min(1, Math.max(0, volume)) * 100) / 100;
    this.#heard();
    this.#mute(this.#volume === 0);
  }

  louder(steps) {
    this.set((this.#video.muted ? 0 : this.#volume) + steps * STEP);
  }

  /** Lets this much of the sound be heard, 0 to 1; the viewer's choice stays. */
  fade(part) {
    this.#fade = part;
    this.#heard();
  }

  toggle() {
    if (this.#video.muted) this.unmute();
    else this.#mute(true);
  }

  unmute() {
    if (this.#volume === 0) this.#volume = 0.5;
    this.#heard();
    this.#mute(false);
    if (this.#player.state === 'blocked') this.#player.start();
  }

  #mute(quiet) {
    this.#quiet = quiet;
    this.#video.muted = quiet;
    keep('sound', { volume: this.#volume, quiet });
  }

  #heard() {
    const volume = this.#volume * this.#fade;
    if (this.#video.volume !== volume) this.#video.volume = volume;
  }

  #show() {
    const { muted } = this.#video;
    const volume = this.#volume;
    const blocked = this.#player.state === 'blocked';
    const { mute, sound } = this.#ui;
    mute.setAttribute('aria-label', muted ? strings.unmute : strings.mute);
    mute.title = mute.getAttribute('aria-label');
    mute.classList.toggle('off', muted || volume === 0);
    this.#ui.volume.value = muted ? 0 : Math.round(volume * 100);
    this.#ui.volume.style.setProperty('--filled', `${this.#ui.volume.value}%`);
    // Only silence that the viewer did not ask for is worth a large button over the picture.
    sound.hidden = !((muted && !this.#quiet) || blocked);
    sound.lastElementChild.textContent = blocked ? strings.start : strings.sound;
    document.body.classList.toggle('blocked', blocked);
  }
}
