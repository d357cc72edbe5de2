// The menu of subtitles, there only where a channel has some. Remembered on this device, by language.
import { keep, kept } from './kept.js';
import { Menu } from './menu.js';
import { strings } from './strings.js';

export class Subtitles {
  #player;
  #button;
  #menu;

  constructor(player, { button, menu }) {
    this.#player = player;
    this.#button = button;
    this.#menu = new Menu(button, menu, strings.subtitles.name, (n) => this.#choose(n));
    button.title = strings.subtitles.button;
    button.setAttribute('aria-label', button.title);
    player.addEventListener('subtitles', () => this.#show());
    player.addEventListener('begins', () => this.#show());
    player.speak(typeof kept('subtitles').language === 'string' ? kept('subtitles').language : null);
  }

  toggle(open) {
    this.#menu.toggle(open);
  }

  #choose(n) {
    const language = this.#player.subtitles[n - 1]?.language ?? null;
    this.#player.speak(language);
    keep('subtitles', { language });
  }

  #show() {
    const { subtitles, subtitle } = this.#player;
    this.#button.hidden = subtitles.length === 0;
    if (this.#button.hidden) return this.#menu.toggle(false);
    this.#button.classList.toggle('lit', subtitle >= 0);
    this.#menu.show([strings.subtitles.none, ...subtitles.map(({ name }) => name)], subtitle + 1);
  }
}
