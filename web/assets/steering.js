// Leads a player to the moment that all its channel's viewers see. What to do is decided in together.js.
import { nobodyLooks } from './looks.js';
import { Together } from './together.js';

/** How often the picture is compared with the clock, in milliseconds. */
const EVERY_MS = 500;
/** Who waits with less than this in store waits for the line, in seconds. */
const DRY_S = 0.7;
/** Smaller changes of the rate are none. */
const SAME_RATE = 0.001;

export class Steering {
  #video;
  #player;
  #together = new Together();

  constructor(video, player) {
    this.#video = video;
    this.#player = player;
    player.addEventListener('begins', () => this.#together.begins());
    // A picture that waits after a leap of its own, or for a busy device, did not run dry.
    video.addEventListener('waiting', () => video.seeking || player.store.ahead > DRY_S || this.#together.dry(performance.now()));
    setInterval(() => this.#tick(performance.now()), EVERY_MS);
  }

  #tick(now) {
    const video = this.#video;
    // Whoever pauses, waits, zaps or looks elsewhere has other troubles.
    const plays = this.#player.state === 'playing' && !video.paused && !video.seeking && !nobodyLooks();
    const { rate, leap } = plays ? this.#together.steer(this.#player.late, this.#player.store, now) : { rate: 1, leap: 0 };
    if (leap) video.currentTime += leap;
    if (Math.abs(video.playbackRate - rate) > SAME_RATE) video.playbackRate = rate;
  }
}
