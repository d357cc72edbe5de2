// What slides in from the side: the channels, or the programme. One at a time.

export class Panels {
  #all;

  /** `all` lists { name, button, panel }; the body has the name of what is open as a class. */
  constructor(all) {
    this.#all = all;
    for (const { name, button } of all) button.addEventListener('click', () => this.toggle(name));
  }

  get open() {
    return this.#all.some(({ name }) => document.body.classList.contains(name));
  }

  /** Opens one and closes the others, or closes it. */
  toggle(wanted, open = !document.body.classList.contains(wanted)) {
    for (const { name, button, panel } of this.#all) {
      const shown = open && name === wanted;
      const inside = panel.contains(document.activeElement);
      document.body.classList.toggle(name, shown);
      button.setAttribute('aria-expanded', String(shown));
      if (shown) (panel.querySelector('a[aria-current]') ?? panel).focus({ preventScroll: true });
      else if (inside && !open) button.focus();
    }
    document.body.classList.toggle('aside', this.open);
  }

  close() {
    this.toggle(null, false);
  }
}
