// Keys on the wall: arrows go from channel to channel, digits tune as on a remote control.

/** How long digits are collected, and how long the number stays, in milliseconds. */
const DIGITS_MS = 1100;
const OSD_MS = 2600;
/** More digits than any channel has. */
const DIGITS_MAX = 4;

export class Keys {
  #list;
  #osd;
  #digits = '';
  #timer = 0;
  #fade = 0;

  constructor(list, osd) {
    this.#list = list;
    this.#osd = osd;
    addEventListener('keydown', (event) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
      if (/^[0-9]$/.test(event.key)) this.#digit(event.key);
      else if (this.#step(event.key)) event.preventDefault();
    });
  }

  #links() {
    return [...this.#list.querySelectorAll('a')];
  }

  /** Moves the focus; returns whether the key meant that. */
  #step(key) {
    const links = this.#links();
    if (!['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(key) || links.length === 0) return false;
    const from = links.indexOf(document.activeElement);
    const to = from < 0 ? 0 : { Home: 0, End: links.length - 1, ArrowLeft: from - 1, ArrowRight: from + 1 }[key] ?? beside(links, from, key === 'ArrowDown' ? 1 : -1);
    // At the edge the page scrolls, as it would without us.
    if (!links[to] || to === from) return false;
    links[to].focus({ preventScroll: true });
    links[to].scrollIntoView({ block: 'nearest' });
    return true;
  }

  /** Collects digits, and tunes at once where no longer number can be meant. */
  #digit(digit) {
    clearTimeout(this.#timer);
    this.#digits = `${this.#digits}${digit}`.slice(-DIGITS_MAX);
    const links = this.#links();
    const tune = () => {
      const link = links[Number(this.#digits) - 1];
      this.#digits = '';
      if (link) link.click();
      else this.#tell('');
    };
    this.#tell(`${Number(this.#digits)}–`);
    if (Number(this.#digits) * 10 > links.length) tune();
    else this.#timer = setTimeout(tune, DIGITS_MS);
  }

  #tell(text) {
    this.#osd.textContent = text;
    this.#osd.classList.toggle('on', text !== '');
    clearTimeout(this.#fade);
    this.#fade = setTimeout(() => this.#osd.classList.remove('on'), OSD_MS);
  }
}

/** Returns the place of the link above or below: the nearest of the next row, by where they are drawn. */
function beside(links, from, way) {
  const middle = (link) => {
    const { left, width, top } = link.getBoundingClientRect();
    return { x: left + width / 2, top };
  };
  const here = middle(links[from]);
  let found = from;
  let best = { row: Infinity, far: Infinity };
  links.forEach((link, place) => {
    const { x, top } = middle(link);
    const row = (top - here.top) * way;
    if (row < 4) return;
    const far = Math.abs(x - here.x);
    if (row < best.row - 4 || (row < best.row + 4 && far < best.far)) [found, best] = [place, { row, far }];
  });
  return found;
}
