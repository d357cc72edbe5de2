// What stands over the picture when a film has ended: the next one, and what is on now.
import { ask, byline } from './guide.js';
import { strings } from './strings.js';

export class End {
  #box;
  #about;

  /** `about` tells the channel, its name and the item. `again` is called by whoever wants to see it again. */
  constructor(box, about, again) {
    this.#box = box;
    this.#about = about;
    box.setAttribute('aria-label', strings.film.ended);
    box.append(heading(strings.film.ended));
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'chip', textContent: strings.film.again });
    button.addEventListener('click', () => {
      this.hide();
      again();
    });
    box.append(button);
  }

  get shown() {
    return !this.#box.hidden;
  }

  hide() {
    this.#box.hidden = true;
    document.body.classList.remove('over');
  }

  /** Shows what there is to see now; what the station does not tell is left out. */
  async show() {
    const { channel, item, name } = this.#about;
    const box = this.#box;
    box.hidden = false;
    document.body.classList.add('over');
    box.querySelector('.chip').focus({ preventScroll: true });
    const [one, now] = await Promise.all([
      ask(`/api/channels/${channel}/library/${item}`).catch(() => null),
      ask(`/api/channels/${channel}`).catch(() => null),
    ]);
    for (const link of box.querySelectorAll('a')) link.remove();
    const on = now?.now && !now.now.slate ? now.now : null;
    const links = [
      one?.next && choice(one.next.page, strings.film.next, one.next.title, byline(one.next), 'next'),
      choice(`/watch/${channel}`, strings.film.onNow(name), on?.title ?? strings.offAir, byline(on), 'now'),
    ].filter(Boolean);
    box.querySelector('h2').after(...links);
    if (this.shown && document.activeElement === box.querySelector('.chip')) links[0].focus({ preventScroll: true });
  }
}

function heading(textContent) {
  return Object.assign(document.createElement('h2'), { textContent });
}

function choice(href, label, title, by, className) {
  const link = Object.assign(document.createElement('a'), { href, className });
  const part = (name, textContent) => Object.assign(document.createElement(name), { textContent });
  link.append(part('small', label), part('b', title), part('span', by));
  return link;
}
