// How the next programme is announced, on the wall and under the picture alike.
import { clock } from './guide.js';
import { strings } from './strings.js';

/** Returns the parts of the line: a label, the time, the title; none where nothing is known to come. */
export function coming(next) {
  if (!next) return [];
  const label = Object.assign(document.createElement('span'), { className: 'label', textContent: strings.nextLabel });
  const title = Object.assign(document.createElement('b'), { textContent: next.title });
  return [label, `${clock(next.start)}\u2002`, title];
}
