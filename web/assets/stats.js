// Counts what a viewer would notice. Read by tests as `nightcast.stats()`.

/** How often the picture is looked at, and from when on standing still counts as a stall, in milliseconds. */
const LOOK_MS = 100;
const STALL_MIN_MS = 250;
/** How many errors are remembered word by word. */
const ERRORS_MAX = 50;

export class Stats {
  #video;
  #facts;
  #tunedAt = 0;
  #startupMs = null;
  #tuneMs = null;
  #stalls = { count: 0, longestMs: 0, totalMs: 0 };
  #still = null;
  #lastTime = -1;
  #errors = [];
  #counts = { errors: 0, fatal: 0, rebuilds: 0, nudges: 0 };

  constructor(video, facts) {
    this.#video = video;
    this.#facts = facts;
    setInterval(() => this.#look(performance.now()), LOOK_MS);
  }

  tuned() {
    this.#tunedAt = performance.now();
    this.#tuneMs = null;
    this.#still = null;
    this.#lastTime = -1;
  }

  failed({ type, details, fatal, error }) {
    this.#counts.errors += 1;
    if (fatal) this.#counts.fatal += 1;
    if (this.#errors.length < ERRORS_MAX) {
      this.#errors.push({ at: Math.round(performance.now()), type, details, fatal, text: String(error?.message ?? '') });
    }
  }

  rebuilt() {
    this.#counts.rebuilds += 1;
  }

  nudged() {
    this.#counts.nudges += 1;
  }

  /** Returns everything counted since the page was opened; times in milliseconds, latency in seconds. */
  read() {
    const still = this.#still === null ? 0 : Math.round(performance.now() - this.#still);
    const open = still >= STALL_MIN_MS ? still : 0;
    const quality = this.#video.getVideoPlaybackQuality?.();
    return {
      ...this.#facts(),
      ...this.#counts,
      errorList: [...this.#errors],
      stalls: {
        count: this.#stalls.count + (open > 0 ? 1 : 0),
        totalMs: this.#stalls.totalMs + open,
        longestMs: Math.max(this.#stalls.longestMs, open),
      },
      startupMs: this.#startupMs,
      tuneMs: this.#tuneMs,
      framesTotal: quality?.totalVideoFrames ?? 0,
      framesDropped: quality?.droppedVideoFrames ?? 0,
      audioBytes: this.#video.webkitAudioDecodedByteCount ?? null,
      currentTime: this.#video.currentTime,
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
      paused: this.#video.paused,
      muted: this.#video.muted,
      volume: this.#video.volume,
    };
  }

  #look(now) {
    const { currentTime, paused, ended } = this.#video;
    const moves = currentTime !== this.#lastTime;
    const first = this.#lastTime < 0;
    this.#lastTime = currentTime;
    if (moves && !first && currentTime > 0 && this.#tuneMs === null && !paused) {
      this.#tuneMs = Math.round(now - this.#tunedAt);
      this.#startupMs ??= Math.round(now);
    }
    // Before the first picture, while paused, or in a throttled background page nothing is a stall.
    if (moves || paused || ended || this.#tuneMs === null || document.hidden) return this.#endStall(now);
    this.#still ??= now - LOOK_MS;
  }

  #endStall(now) {
    if (this.#still === null) return;
    const lasted = Math.round(now - this.#still);
    this.#still = null;
    if (lasted < STALL_MIN_MS) return;
    this.#stalls.count += 1;
    this.#stalls.totalMs += lasted;
    this.#stalls.longestMs = Math.max(this.#stalls.longestMs, lasted);
  }
}
