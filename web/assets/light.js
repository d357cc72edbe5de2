// The picture is the light: a coarse copy of it fills the room behind it.
import { nobodyLooks } from './looks.js';

/** How often the room changes, in milliseconds. Light from a screen is slow to the eye's corner, and drawing 32 by 18
 *  pixels twice a second costs nothing. */
const EVERY_MS = 500;

/** Lights a canvas with what a video shows. */
export function light(canvas, video) {
  const context = canvas.getContext('2d', { alpha: false });
  if (!context || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  // Each drawing leaves a little of the one before, so that a cut dims in rather than flashes.
  context.globalAlpha = 0.35;
  setInterval(() => {
    if (nobodyLooks() || video.readyState < 2 || video.paused) return;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
  }, EVERY_MS);
}
