// Volume and mute, remembered from visit to visit, and the button for browsers that begin in silence.
import { strings } from './strings.js';

const KEY = 'nightcast.sound';
const STEP = 0.05;

export class Sound {
  #video;
  #player;
  #ui;
  /** Whether the viewer asked for silence, as against the browser. */
  #quiet;

  constructor(video, player, ui) {
    this.#video = video;
    this.#player = player;
    this.#ui = ui;
    const { volume, quiet } = remembered();
    video.volume = volume;
    video.muted = quiet;
    this.#quiet = quiet;
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
    this.#video.volume = Math.round(Math.min(1, Math.max(0, volume)) * 100) / 100;
    this.#mute(this.#video.volume === 0);
  }

  louder(steps) {
    this.set((this.#video.muted ? 0 : this.#video.volume) + steps * STEP);
  }

  toggle() {
    if (this.#video.muted) this.unmute();
    else this.#mute(true);
  }

  unmute() {
    if (this.#video.volume === 0) this.#video.volume = 0.5;
    this.#mute(false);
    if (this.#player.state === 'blocked') this.#player.start();
  }

  #mute(quiet) {
    this.#quiet = quiet;
    this.#video.muted = quiet;
    try {
      localStorage.setItem(KEY, JSON.stringify({ volume: this.#video.volume, quiet }));
    } catch {
      // Private windows may refuse; the volume is then forgotten, which is what such a window is for.
    }
  }

  #show() {
    const { muted, volume } = this.#video;
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

function remembered() {
  try {
    const { volume, quiet } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return { volume: Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1, quiet: quiet === true };
  } catch {
    return { volume: 1, quiet: false };
  }
}
