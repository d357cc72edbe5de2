// What opens over the controls: one at a time, closed by Escape, by a press beside it, or by what is chosen in it.

let current = null;

/** Whether one is open. */
export function anyOpen() {
  return current !== null;
}

export class Popover {
  #button;
  #sheet;

  constructor(button, sheet, name) {
    this.#button = button;
    this.#sheet = sheet;
    sheet.setAttribute('aria-label', name);
    button.addEventListener('click', () => this.toggle());
    sheet.addEventListener('keydown', (event) => this.key(event));
    // Not every browser gives a pressed button the focus, so both are looked at.
    const leaves = (to) => to && !sheet.contains(to) && !button.contains(to) && this.toggle(false);
    sheet.addEventListener('focusout', (event) => leaves(event.relatedTarget));
    addEventListener('pointerdown', (event) => leaves(event.target), { passive: true });
  }

  get open() {
    return !this.#sheet.hidden;
  }

  /** Opens at what is chosen, or closes. */
  toggle(open = !this.open) {
    const [sheet, button] = [this.#sheet, this.#button];
    if (open === this.open || (open && button.hidden)) return;
    if (open) current?.toggle(false);
    current = open ? this : null;
    const inside = sheet.contains(document.activeElement);
    sheet.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (open) (sheet.querySelector('[aria-checked=true]') ?? sheet.querySelector('button, input'))?.focus({ preventScroll: true });
    else if (inside) button.focus({ preventScroll: true });
  }

  /** What is pressed here means nothing else. */
  key(event) {
    if (event.key !== 'Escape') return;
    this.toggle(false);
    event.preventDefault();
  }
}

/** A menu of which one entry holds. */
export class Menu extends Popover {
  #menu;

  /** `chosen` is called with the number of the entry. */
  constructor(button, menu, name, chosen) {
    super(button, menu, name);
    this.#menu = menu;
    menu.addEventListener('click', (event) => {
      const n = [...menu.children].indexOf(event.target.closest('button'));
      if (n < 0) return;
      chosen(n);
      this.toggle(false);
    });
  }

  /** Shows these entries, of which one holds. Whoever stands in the menu is not moved. */
  show(names, holds) {
    const menu = this.#menu;
    while (menu.children.length > names.length) menu.lastElementChild.remove();
    names.forEach((name, n) => {
      const item = menu.children[n] ?? menu.appendChild(entry());
      if (item.textContent !== name) item.textContent = name;
      item.setAttribute('aria-checked', String(n === holds));
    });
  }

  /** Arrows walk through the menu, as in every menu. */
  key(event) {
    const items = [...this.#menu.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return super.key(event);
    items.at(to % items.length).focus();
    event.preventDefault();
  }
}

function entry() {
  const item = document.createElement('button');
  item.type = 'button';
  item.setAttribute('role', 'menuitemradio');
  item.tabIndex = -1;
  return item;
}
