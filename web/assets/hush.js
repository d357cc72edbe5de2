// Quiet sound for the night: what is loud becomes softer, what is soft stays, and what is sharp or booms goes through no wall.

/** Above this the sound is pressed together, in dB, and by how much. */
const THRESHOLD_DB = -42;
const RATIO = 8;
/** Compressors make up for what they take; this takes it back. */
const GAIN = 0.4;
const SHARP_HZ = 4500;
const BOOM_HZ = 140;
const BOOM_DB = -8;
/** How fast one goes over into the other, in seconds. */
const SLOW_S = 0.4;

export class Hush {
  #video;
  #wanted = false;
  #context = null;
  #ways = null;

  constructor(video) {
    this.#video = video;
    // Browsers give sound to pages that were touched; and some take it away for a telephone call.
    for (const event of ['pointerdown', 'keydown']) addEventListener(event, () => this.#try(), { passive: true });
    document.addEventListener('visibilitychange', () => document.hidden || this.#try());
  }

  /** Makes the sound quiet, or as it is. */
  set(on) {
    this.#wanted = on;
    this.#try();
  }

  async #try() {
    if (!this.#wanted && !this.#ways) return;
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
    this.#context ??= globalThis.AudioContext ? new AudioContext() : null;
    const context = this.#context;
    if (!context) return;
    if (context.state !== 'running') await context.resume().catch(() => {});
    // An element that is led into a context that stands still would stand still, too.
    if (context.state === 'running') this.#ways ??= this.#lead(context);
    if (!this.#ways) return;
    const [plain, soft] = this.#ways;
    plain.gain.setTargetAtTime(this.#wanted ? 0 : 1, context.currentTime, SLOW_S);
    soft.gain.setTargetAtTime(this.#wanted ? GAIN : 0, context.currentTime, SLOW_S);
  }

  /** Leads the element's sound through two ways. Once and for ever: an element cannot be led elsewhere a second time, and this
   *  one outlives every channel and every player. */
  #lead(context) {
    const source = context.createMediaElementSource(this.#video);
    const plain = new GainNode(context, { gain: 1 });
    const soft = new GainNode(context, { gain: 0 });
    const chain = [
      source,
      new BiquadFilterNode(context, { type: 'lowshelf', frequency: BOOM_HZ, gain: BOOM_DB }),
      new BiquadFilterNode(context, { type: 'lowpass', frequency: SHARP_HZ, Q: 0.5 }),
      new DynamicsCompressorNode(context, { threshold: THRESHOLD_DB, ratio: RATIO, knee: 24, attack: 0.006, release: 0.4 }),
      soft,
      context.destination,
    ];
    chain.reduce((from, to) => from.connect(to));
    source.connect(plain).connect(context.destination);
    return [plain, soft];
  }
}
