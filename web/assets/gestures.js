// One gesture, one channel. Pure: movements in, steps out.

/** How far a wheel turns for a channel, in pixels, and how long it must rest before it counts again, in milliseconds: a
 *  flick on a touchpad runs on for a second, and is still one. */
const NOTCH_PX = 40;
const REST_MS = 180;
/** What a line and a page of a wheel are in pixels. */
const UNITS = [1, 40, 400];

export class Wheel {
  #turned = 0;
  #last = -Infinity;
  #spent = false;

  /** Takes a turn of the wheel: `delta` in `unit` (as DOM events have it) at a time. Returns 1, -1 or 0 channels. */
  turn(delta, unit, now) {
    if (now - this.#last > REST_MS) {
      this.#turned = 0;
      this.#spent = false;
    }
    this.#last = now;
    this.#turned += delta * (UNITS[unit] ?? 1);
    if (this.#spent || Math.abs(this.#turned) < NOTCH_PX) return 0;
    this.#spent = true;
    return Math.sign(this.#turned);
  }
}

/** How far and how fast a finger goes to mean a channel, in pixels and milliseconds; and how near to the screen's edge it is
 *  the browser's own. */
const SWIPE_PX = 56;
const SWIPE_MS = 700;
const EDGE_PX = 24;

/** Returns how many channels a finger meant that went from one place to another, { x, y, at }: 1 for up and left, -1 for down
 *  and right, 0 for something else. `across` says that only sideways counts, `width` is the screen's. */
export function swiped(from, to, { across = false, width = Infinity } = {}) {
  if (from.x < EDGE_PX || from.x > width - EDGE_PX || to.at - from.at > SWIPE_MS) return 0;
  const [x, y] = [to.x - from.x, to.y - from.y];
  const sideways = Math.abs(x) > Math.abs(y);
  const [far, other] = sideways ? [x, y] : [y, x];
  // What goes askew is no swipe.
  if (Math.abs(far) < SWIPE_PX || Math.abs(other) > Math.abs(far) / 2) return 0;
  return across && !sideways ? 0 : -Math.sign(far);
}
