// The wall's window: the picture of the channel one looks at, without sound, on that channel's own screen.

/** Narrower walls are read on the move, where a picture nobody asked for is somebody's money. */
const ROOM = matchMedia('(min-width: 56rem) and (prefers-reduced-motion: no-preference)');
/** How long one must look at a channel before its picture comes, in milliseconds: passing over is not looking. */
const LOOK_MS = 350;
/** The player's own player: half a megabyte that only walls with room for a picture fetch. */
const HLS = '/vendor/hls.min.js?v=1.7.4';

export class Window {
  #video;
  #player = null;
  #made = null;
  #wanted = { screen: null, url: null };
  #shown = null;
  #timer = 0;

  constructor(video) {
    this.#video = video;
    video.muted = true;
    document.addEventListener('visibilitychange', () => this.#follow());
    ROOM.addEventListener('change', () => this.#follow());
  }

  /** Shows a channel by the address of its playlist on a screen; nothing for null. */
  show(screen, url, { atOnce = false } = {}) {
    if (url === this.#wanted.url && screen === this.#wanted.screen) return;
    this.#wanted = { screen, url };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#follow(), atOnce ? 0 : LOOK_MS);
  }

  async #follow() {
    const open = ROOM.matches && !document.hidden && !navigator.connection?.saveData;
    const url = open ? this.#wanted.url : null;
    if (url === this.#shown) return;
    this.#shown = url;
    this.#video.classList.remove('on');
    if (!url) return this.#player?.stop();
    const player = await (this.#made ??= this.#make());
    // Who came meanwhile looks elsewhere.
    if (this.#shown !== url) return;
    this.#wanted.screen.append(this.#video);
    player.tune(url);
  }

  async #make() {
    const [{ Player }] = await Promise.all([import('./player.js'), script(HLS)]);
    const player = new Player(this.#video);
    player.addEventListener('state', () => this.#video.classList.toggle('on', player.state === 'playing'));
    this.#player = player;
    return player;
  }
}

/** Loads a script of the old kind; one that does not come leaves the browser's own player. */
function script(src) {
  return new Promise((resolve) => {
    const element = Object.assign(document.createElement('script'), { src, onload: resolve, onerror: resolve });
    document.head.append(element);
  });
}
