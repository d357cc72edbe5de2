// What a set shows between two channels: a little snow, dim enough for a dark room.
import { nobodyLooks } from './looks.js';

/** What is over sooner than this is a dip into the dark, and no time is taken from it, in milliseconds. */
const SOONEST_MS = 130;
/** How often the snow changes, in milliseconds, and how many pictures of it there are. */
const EVERY_MS = 66;
const PICTURES = 6;
/** The brightest flake, of 255: a dark room is not to be lit by it. */
const BRIGHTEST = 62;

/** Lets it snow on a canvas while `falls()`; returns what to call when that has changed. Whoever wants no motion gets none. */
export function snow(canvas, falls) {
  const context = canvas.getContext('2d', { alpha: false });
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const pictures = [];
  let [timer, shown] = [0, 0];
  const fall = () => {
    if (!falls() || still.matches || nobodyLooks()) {
      clearInterval(timer);
      timer = 0;
      return;
    }
    // One by one, when they are wanted: the first picture of the channel has no time to lose.
    if (pictures.length < PICTURES) pictures.push(flakes(context, canvas));
    context.putImageData(pictures[shown++ % pictures.length], 0, 0);
  };
  let waits = 0;
  return () => {
    if (!context || timer || !falls()) return;
    context.fillRect(0, 0, canvas.width, canvas.height);
    clearTimeout(waits);
    waits = setTimeout(() => {
      timer ||= setInterval(fall, EVERY_MS);
      fall();
    }, SOONEST_MS);
  };
}

function flakes(context, { width, height }) {
  const image = context.createImageData(width, height);
  const { data } = image;
  for (let y = 0, at = 0; y < height; y += 1) {
    // Lines differ, as they do where no station is.
    const line = BRIGHTEST * (0.6 + 0.4 * Math.random());
    for (let x = 0; x < width; x += 1, at += 4) {
      const light = line * Math.random() ** 3;
      data[at] = light * 0.86;
      data[at + 1] = light * 0.93;
      data[at + 2] = light;
      data[at + 3] = 255;
    }
  }
  return image;
}
