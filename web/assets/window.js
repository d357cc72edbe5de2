// The wall's window: the picture of the channel one looks at, without sound, behind the words.
import { Player } from './player.js';

/** Narrower walls are read on the move, where a picture nobody asked for is somebody's money. */
const ROOM = matchMedia('(min-width: 56rem) and (prefers-reduced-motion: no-preference)');
/** How long one must look at a channel before its picture comes, in milliseconds: passing over is not looking. */
const LOOK_MS = 350;

export class Window {
  #video;
  #player = null;
  #wanted = null;
  #shown = null;
  #timer = 0;

  constructor(video) {
    this.#video = video;
    video.muted = true;
    document.addEventListener('visibilitychange', () => this.#follow());
    ROOM.addEventListener('change', () => this.#follow());
  }

  /** Shows a channel by the address of its playlist; nothing for null. */
  show(url, { atOnce = false } = {}) {
    if (url === this.#wanted) return;
    this.#wanted = url;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#follow(), atOnce ? 0 : LOOK_MS);
  }

  #follow() {
    const open = ROOM.matches && !document.hidden && !navigator.connection?.saveData;
    const url = open ? this.#wanted : null;
    if (url === this.#shown) return;
    this.#shown = url;
    this.#video.classList.remove('on');
    if (!url) return this.#player?.stop();
    this.#player ??= this.#make();
    this.#player.tune(url);
  }

  #make() {
    const player = new Player(this.#video);
    player.addEventListener('state', () => this.#video.classList.toggle('on', player.state === 'playing'));
    return player;
  }
}
