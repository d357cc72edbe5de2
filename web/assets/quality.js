// The menu of pictures: the player chooses by the line, or the viewer does. Remembered on this device.
import { keep, kept } from './kept.js';
import { Menu } from './menu.js';
import { strings } from './strings.js';

export class Quality {
  #player;
  #button;
  #menu;
  #shown = '';

  constructor(player, { button, menu }) {
    this.#player = player;
    this.#button = button;
    this.#menu = new Menu(button, menu, strings.quality, (n) => this.#choose(n));
    const { name, lines } = kept('quality');
    player.prefer(Number.isFinite(lines) ? { name: String(name), lines } : null);
    player.addEventListener('levels', () => this.#show());
    this.#show();
  }

  toggle(open) {
    this.#menu.toggle(open);
  }

  #choose(n) {
    const level = this.#player.levels[n - 1] ?? null;
    const choice = level && { name: level.name, lines: level.lines };
    this.#player.prefer(choice);
    keep('quality', choice);
  }

  #show() {
    const { levels, chosen, playing } = this.#player;
    const text = JSON.stringify([levels, chosen, playing]);
    if (text === this.#shown) return;
    this.#shown = text;
    const button = this.#button;
    button.hidden = levels.length < 2;
    if (button.hidden) return this.#menu.toggle(false);
    const lines = strings.lines(levels[playing]?.lines);
    const names = [strings.auto(chosen < 0 ? lines : ''), ...levels.map((level) => named(level, levels))];
    button.lastElementChild.textContent = lines || strings.auto('');
    button.title = strings.qualityIs(button.textContent, chosen < 0);
    button.setAttribute('aria-label', button.title);
    this.#menu.show(names, chosen + 1);
  }
}

/** Two pictures may have the same lines, since none is larger than its film: their rates tell them apart. */
function named(level, levels) {
  const alike = levels.filter(({ lines }) => lines === level.lines).length > 1;
  return alike || !level.lines ? strings.rate(strings.lines(level.lines), level.bits) : strings.lines(level.lines);
}
