// The remote control: keys, wheel and finger.
import { Wheel, swiped } from './gestures.js';

/** Upright and narrow, the page scrolls, and only sideways is a swipe. */
const UPRIGHT = matchMedia('(max-width: 50rem) and (orientation: portrait)');

/** Listens to the keyboard: `keys` by what they are called, `digit` for the others, `first` sees every key and takes it by
 *  returning true. */
export function listenToKeys(keys, digit, first) {
  addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (first(event)) return event.preventDefault();
    if (event.defaultPrevented) return;
    const target = event.target.closest?.('button, a, input');
    // A focused button or link is pressed by space, and a slider moved by arrows, as everywhere.
    if (target && (event.key === ' ' || event.key === 'Enter')) return;
    if (target?.matches('input') && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (/^[0-9]$/.test(event.key)) digit(event.key);
    else if (act) act();
    else return;
    event.preventDefault();
  });
}

/** Listens to wheel and finger over the picture; `step` takes 1 or -1. */
export function listenToHands(stage, step) {
  const wheel = new Wheel();
  const apart = (target) => target.closest('.menu, input');
  stage.addEventListener('wheel', (event) => {
    // With a key it is the browser's: larger and smaller.
    if (event.ctrlKey || event.metaKey || UPRIGHT.matches || apart(event.target)) return;
    const by = wheel.turn(event.deltaY, event.deltaMode, event.timeStamp);
    if (by) step(by);
  }, { passive: true });
  let from = null;
  const place = ({ clientX: x, clientY: y, timeStamp: at }) => ({ x, y, at });
  stage.addEventListener('pointerdown', (event) => {
    const finger = event.pointerType === 'touch' && event.isPrimary && !apart(event.target);
    from = finger ? place(event) : null;
  });
  stage.addEventListener('pointercancel', () => (from = null));
  stage.addEventListener('pointerup', (event) => {
    const by = from && event.isPrimary ? swiped(from, place(event), { across: UPRIGHT.matches, width: innerWidth }) : 0;
    from = null;
    if (by) step(by);
  });
}
