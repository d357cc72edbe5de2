// The room takes the light of the screen one looks at: a copy of it of a few pixels, behind everything.

/** How often the light follows, in milliseconds, and how much of it is new each time: light from a screen is slow to the
 *  corner of the eye. */
const EVERY_MS = 400;
const NEW = 0.12;

export class Glow {
  #canvas;
  #context;
  #screen = null;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false });
    // Nothing moves for those who do not wish it, and by day there is no glow to be seen.
    const moves = matchMedia('(prefers-reduced-motion: no-preference) and (prefers-color-scheme: dark)');
    setInterval(() => document.hidden || !moves.matches || this.#draw(), EVERY_MS);
  }

  /** Takes the screen whose light it is; none is dark. */
  of(screen) {
    this.#screen = screen;
  }

  #draw() {
    const image = this.#screen?.querySelector('img:not(.away)');
    const video = this.#screen?.querySelector('video.on');
    const source = video?.readyState >= 2 ? video : image?.complete && image.naturalWidth > 0 ? image : null;
    this.#canvas.classList.toggle('on', Boolean(source));
    if (!source || !this.#context) return;
    this.#context.globalAlpha = NEW;
    this.#context.drawImage(source, 0, 0, this.#canvas.width, this.#canvas.height);
  }
}
