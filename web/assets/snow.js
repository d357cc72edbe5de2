// What a set shows between two channels: a little snow, dim enough for a dark room.
import { nobodyLooks } from './looks.js';

/** How often the snow changes, in milliseconds, and how many pictures of it there are. */
const EVERY_MS = 66;
const PICTURES = 6;
/** The brightest flake, of 255: a dark room is not to be lit by it. */
const BRIGHTEST = 62;

/** Lets it snow on a canvas while `falls()`; returns what to call when that has changed. Whoever wants no motion gets none. */
export function snow(canvas, falls) {
  const context = canvas.getContext('2d', { alpha: false });
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let pictures = null;
  let timer = 0;
  const fall = () => {
    if (!falls() || still.matches || nobodyLooks()) {
      clearInterval(timer);
      timer = 0;
      return;
    }
    pictures ??= Array.from({ length: PICTURES }, () => flakes(context, canvas));
    context.putImageData(pictures[Math.floor(Math.random() * PICTURES)], 0, 0);
  };
  return () => {
    if (!context || timer || !falls()) return;
    timer = setInterval(fall, EVERY_MS);
    fall();
  };
}

function flakes(context, { width, height }) {
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y += 1) {
    // Lines differ, as they do where no station is.
    const line = 0.6 + 0.4 * Math.random();
    for (let x = 0; x < width; x += 1) {
      const light = BRIGHTEST * line * Math.random() ** 3;
      image.data.set([light * 0.86, light * 0.93, light, 255], 4 * (y * width + x));
    }
  }
  return image;
}
