// The player of a film: it begins anywhere, and stays where it is. It has no edge to be led to.
import { Player } from './player.js';

export class FilmPlayer extends Player {
  #video;
  #place;

  /** `from` is where to begin, in seconds. */
  constructor(video, from) {
    super(video);
    this.#video = video;
    this.#place = from;
    video.addEventListener('loadedmetadata', () => this.#begun());
    video.addEventListener('timeupdate', () => this.#moved());
    video.addEventListener('ended', () => this.pause());
  }

  /** Where the viewer is, in seconds, also while the picture is made anew. */
  get place() {
    return this.#place;
  }

  /** A player that is made anew goes on where the one before was. */
  get setup() {
    return { startPosition: this.#place, backBufferLength: 60, maxBufferLength: 30 };
  }

  get behind() {
    return false;
  }

  get lasting() {
    return true;
  }

  /** Goes to a second of the film. */
  seek(seconds) {
    const { duration } = this.#video;
    this.#place = Math.max(0, Number.isFinite(duration) ? Math.min(seconds, duration) : seconds);
    if (this.#video.readyState > 0) this.#video.currentTime = this.#place;
  }

  toLive() {}

  /** Browsers that play it by themselves were not told where to begin. */
  #begun() {
    if (!globalThis.Hls?.isSupported() && this.#place > 0) this.#video.currentTime = this.#place;
  }

  #moved() {
    // A picture that is taken down is at its beginning for a moment.
    if (this.#video.readyState > 1 && !this.#video.seeking) this.#place = this.#video.currentTime;
  }
}
