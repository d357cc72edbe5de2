// The menu of pictures: the player chooses by the line, or the viewer does. Remembered on this device.
import { strings } from './strings.js';

const KEY = 'nightcast.quality';

export class Quality {
  #player;
  #ui;
  #shown = '';

  constructor(player, ui) {
    this.#player = player;
    this.#ui = ui;
    player.prefer(remembered());
    ui.menu.setAttribute('aria-label', strings.quality);
    ui.button.addEventListener('click', () => this.toggle());
    ui.menu.addEventListener('click', (event) => this.#choose(event.target.closest('button')));
    ui.menu.addEventListener('keydown', (event) => this.#key(event));
    // Not every browser gives a pressed button the focus, so both are looked at.
    const leaves = (to) => to && !ui.menu.contains(to) && !ui.button.contains(to) && this.toggle(false);
    ui.menu.addEventListener('focusout', (event) => leaves(event.relatedTarget));
    addEventListener('pointerdown', (event) => leaves(event.target), { passive: true });
    player.addEventListener('levels', () => this.#show());
    this.#show();
  }

  get open() {
    return !this.#ui.menu.hidden;
  }

  /** Opens the menu at what is chosen, or closes it. */
  toggle(open = !this.open) {
    const { menu, button } = this.#ui;
    if (open === this.open || (open && button.hidden)) return;
    const inside = menu.contains(document.activeElement);
    menu.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (open) menu.querySelector('[aria-checked=true]').focus({ preventScroll: true });
    else if (inside) button.focus({ preventScroll: true });
  }

  #choose(item) {
    if (!item) return;
    const level = this.#player.levels[item.dataset.level] ?? null;
    const choice = level && { name: level.name, lines: level.lines };
    this.#player.prefer(choice);
    try {
      localStorage.setItem(KEY, JSON.stringify(choice));
    } catch {
      // Private windows may refuse; the choice then holds for this page.
    }
    this.toggle(false);
  }

  /** Arrows walk through the menu, as in every menu; what is pressed here means nothing else. */
  #key(event) {
    const items = [...this.#ui.menu.querySelectorAll('button')];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items.at(to % items.length).focus();
    else if (event.key === 'Escape') this.toggle(false);
    else return;
    event.preventDefault();
  }

  #show() {
    const { menu, button } = this.#ui;
    const { levels, chosen, playing } = this.#player;
    const text = JSON.stringify([levels, chosen, playing]);
    // Built anew only when something is new: whoever stands in the menu is not to be moved.
    if (text === this.#shown) return;
    this.#shown = text;
    button.hidden = levels.length < 2;
    if (button.hidden) return this.toggle(false);
    const lines = strings.lines(levels[playing]?.lines);
    const names = [strings.auto(chosen < 0 ? lines : ''), ...levels.map((level) => named(level, levels))];
    button.lastElementChild.textContent = lines || strings.auto('');
    button.title = strings.qualityIs(chosen < 0 ? names[0] : names[chosen + 1]);
    button.setAttribute('aria-label', button.title);
    while (menu.children.length > names.length) menu.lastElementChild.remove();
    names.forEach((name, n) => {
      const item = menu.children[n] ?? menu.appendChild(entry());
      item.dataset.level = n - 1;
      item.textContent = name;
      item.setAttribute('aria-checked', String(chosen === n - 1));
    });
  }
}

function entry() {
  const item = document.createElement('button');
  item.type = 'button';
  item.setAttribute('role', 'menuitemradio');
  item.tabIndex = -1;
  return item;
}

/** Two pictures may have the same lines, since none is larger than its film: their rates tell them apart. */
function named(level, levels) {
  const alike = levels.filter(({ lines }) => lines === level.lines).length > 1;
  return alike || !level.lines ? strings.rate(strings.lines(level.lines), level.bits) : strings.lines(level.lines);
}

function remembered() {
  try {
    const { name, lines } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return Number.isFinite(lines) ? { name: String(name), lines } : null;
  } catch {
    return null;
  }
}
