// One video element that shows a channel and never gives up.
import { stationClock } from './clock.js';
import { LIVE_LATENCY_MAX_S, LIVE_SYNC_S, PAST_SETTINGS, SETTINGS } from './hls-settings.js';
import { levelsOf, meant } from './levels.js';
import { Recovery } from './recovery.js';
import { Stats } from './stats.js';
import { behindEdge, momentAt, placeNear, placeOf, stored, syncAtSegment } from './sync.js';
import { delayOf } from './together.js';
import { spoken, tracksOf } from './tracks.js';

/** Nearer to what everybody sees than this is what everybody sees, in milliseconds. */
const NOW_MS = 4000;
/** No segment is longer, in seconds: so far from where it was to begin a picture may begin. */
const SEGMENT_S = 6.5;
/** For so long after a picture was built it may still be the one before, in milliseconds. */
const SETTLED_MS = 10_000;

export class Player extends EventTarget {
  stats;
  /** Where the past is, and its oldest moment: { url, from }; null where one may not go back. */
  past = null;
  #video;
  #url = null;
  #hls = null;
  /** The player of the channel before: while it lives, so does the worker that the next one shares with it. */
  #former = null;
  #recovery = new Recovery();
  #timer = 0;
  #wanted = true;
  #state = 'tuning';
  #lastTime = -1;
  #lostAs = 'lost';
  #choice = null;
  #levels = [];
  #changed = false;
  #fragments = [];
  #clock;
  #language = null;
  /** Which moment of the past is wanted, as a date in milliseconds; null for what is on now. */
  #moment = null;
  /** What was seen when the picture was paused, likewise. */
  #pausedAt = null;
  /** Whether the picture moves since it was built: before, the player tells moments of the one before it. */
  #begun = false;
  /** Whether something of it is there. */
  #filled = false;
  #builtAt = 0;
  /** How much the line carried last, in bits a second; null before the first segment. */
  #line = null;

  /** `together` says that this viewer is to see what everybody sees, by the station's clock. */
  constructor(video, { together = false } = {}) {
    super();
    this.#video = video;
    this.#clock = together ? stationClock : null;
    this.stats = new Stats(video, () => this.#facts());
    for (const event of ['playing', 'timeupdate']) video.addEventListener(event, () => this.#moved());
    video.addEventListener('waiting', () => this.#say(this.#recovery.lost ? this.#lostAs : 'waiting'));
    video.addEventListener('error', () => this.#nativeFailed());
    setInterval(() => this.#tick(), 1000);
    addEventListener('online', () => this.#recovery.lost && this.#reload());
    document.addEventListener('visibilitychange', () => document.hidden || this.#awake());
  }

  get state() {
    return this.#state;
  }

  get wanted() {
    return this.#wanted;
  }

  /** When the picture that is shown was on air, in milliseconds; null while unknown. */
  get playingDate() {
    // hls.js goes by the segment it showed last, which for a moment is that of the time before.
    if (this.rewound) return (this.#begun ? momentAt(this.#fragments, this.#video.currentTime) : null) ?? this.#moment;
    const date = this.#hls ? this.#hls.playingDate : startDate(this.#video);
    return date ? date.getTime() : null;
  }

  /** Seconds behind the live edge; null while unknown. */
  get latency() {
    return this.#hls && this.#hls.latency > 0 ? this.#hls.latency : null;
  }

  /** Whether the viewer has gone back. */
  get rewound() {
    return this.#moment !== null;
  }

  /** The moment that is seen by those who have not gone back, in milliseconds; null while unknown. */
  get now() {
    const edge = this.#fragments.at(-1);
    const told = edge?.programDateTime ? edge.programDateTime + (edge.duration - LIVE_SYNC_S) * 1000 : null;
    return this.#wished() ?? told;
  }

  /** Seconds by which the picture is later than everybody's, below nought where it is ahead; null while unknown. */
  get late() {
    const [wished, shown] = [this.#wished(), this.playingDate];
    return this.rewound || wished === null || shown === null ? null : (wished - shown) / 1000;
  }

  /** Seconds in store on both sides of the picture that is shown: { ahead, behind }. */
  get store() {
    return stored(this.#video.buffered, this.#video.currentTime);
  }

  /** The subtitles there are to choose from: { name, language }. */
  get subtitles() {
    return tracksOf(this.#hls);
  }

  /** Which of them are shown; -1 for none. */
  get subtitle() {
    return this.#hls?.subtitleTrack ?? -1;
  }

  /** Whether there is something newer to jump to than ordinary delay. */
  get behind() {
    return this.rewound || this.#video.paused || (this.latency ?? 0) > LIVE_LATENCY_MAX_S;
  }

  /** The pictures there are to choose from, largest first: { name, lines, bits }; none where the player cannot choose. */
  get levels() {
    return this.#levels;
  }

  /** Which of them the viewer chose; -1 where the player chooses by itself. */
  get chosen() {
    return meant(this.#levels, this.#choice);
  }

  /** Which of them is shown, or will be soon; -1 while unknown. */
  get playing() {
    const hls = this.#hls;
    const index = !hls ? -1 : hls.currentLevel >= 0 ? hls.currentLevel : hls.loadLevel;
    return this.#levels.findIndex((level) => level.index === index);
  }

  /** Takes which picture the viewer wants, { name, lines }, or null for the one that suits the line, on every channel from
   *  now on. It begins when what is in store was played, so that the picture does not stop. */
  prefer(choice) {
    this.#choice = choice;
    const level = this.#levels[this.chosen];
    if (level) this.#hls.loadLevel = level.index;
    // Said to a player that has not begun, it would have it try the line before the first picture.
    else if (this.#hls?.autoLevelEnabled === false) this.#hls.loadLevel = -1;
    this.dispatchEvent(new Event('levels'));
  }

  /** Takes the language of the subtitles that the viewer wants, null for none, on every channel from now on. */
  speak(language) {
    this.#language = language;
    if (this.subtitles.length > 0) this.#hls.subtitleTrack = spoken(this.subtitles, language);
    this.dispatchEvent(new Event('subtitles'));
  }

  /** Whether what is listed stays for ever: a segment that is not there then means that all is otherwise. */
  get lasting() {
    return false;
  }

  /** What hls.js is set up with beside what it always is. */
  get setup() {
    return {};
  }

  /** Shows another channel. */
  tune(url) {
    this.#url = url;
    this.past = null;
    this.#moment = null;
    this.#pausedAt = null;
    this.#wanted = true;
    this.#recovery = new Recovery(performance.now());
    this.stats.tuned();
    this.#levels = [];
    this.#say('tuning');
    this.#build();
  }

  /** Lets go of the channel and of the station. */
  stop() {
    clearTimeout(this.#timer);
    this.#url = null;
    this.#leave();
    this.#bury();
    this.#video.pause();
  }

  pause() {
    this.#wanted = false;
    this.#pausedAt = this.playingDate;
    this.#video.pause();
    this.#say('paused');
  }

  /** Plays on: from where it was where that is kept, else at the live edge, for this is television. */
  resume() {
    const at = this.#pausedAt;
    this.#want();
    if (this.rewound) return void this.start();
    if (at !== null && this.past && at > this.past.from) return this.goTo(at);
    this.toLive();
    this.start();
  }

  /** Plays what is on now. */
  live() {
    this.#want();
    if (this.rewound) return this.#turn(null);
    this.toLive();
    this.start();
  }

  /** Shows a moment of the past, a date in milliseconds; what is on now where that is as good as now, or not kept. */
  goTo(moment) {
    if (!this.past || moment < this.past.from || moment > this.now - NOW_MS) return this.live();
    this.#want();
    const place = this.rewound ? placeNear(this.#fragments, moment) : null;
    if (place === null) return this.#turn(moment);
    this.stats.tuned();
    this.#moment = moment;
    this.#video.currentTime = place;
    this.start();
  }

  #want() {
    this.#wanted = true;
    this.#pausedAt = null;
    this.#recovery.progressed(performance.now());
  }

  /** Turns to a moment of the past, or for null to what is on now: each is a playlist of its own. */
  #turn(moment) {
    this.#moment = moment;
    this.stats.tuned();
    this.#build();
  }

  toLive() {
    if (this.rewound) return;
    const edge = placeOf(this.#fragments, this.#wished()) ?? this.#hls?.liveSyncPosition;
    if (Number.isFinite(edge) && Math.abs(edge - this.#video.currentTime) > 1) this.#video.currentTime = edge;
  }

  /** Starts the picture, without sound where the browser wants a gesture first. */
  async start() {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== 'NotAllowedError' || !this.#wanted) return;
      if (this.#video.muted) return void this.#say('blocked');
      this.#video.muted = true;
      await this.#video.play().catch(() => this.#say('blocked'));
    }
  }

  #build() {
    clearTimeout(this.#timer);
    if (!this.#url) return;
    this.#changed = false;
    this.#fragments = [];
    this.dispatchEvent(new Event('begins'));
    this.#lastTime = -1;
    this.#begun = false;
    this.#filled = false;
    this.#builtAt = performance.now();
    const Hls = globalThis.Hls;
    if (Hls?.isSupported()) {
      const hls = new Hls({ ...(this.rewound ? PAST_SETTINGS : SETTINGS), ...this.setup, ...lineOf(this.#line) });
      // The question goes out first: the old picture is taken down while the answer is on its way.
      hls.loadSource(this.#source);
      this.#leave();
      this.#hls = hls;
      hls.on(Hls.Events.ERROR, (_, data) => this.#hls === hls && this.#failed(data));
      // Before the first segment is asked for.
      hls.on(Hls.Events.MANIFEST_PARSED, () => this.#hls === hls && this.#offered());
      hls.on(Hls.Events.LEVELS_UPDATED, () => this.#hls === hls && this.#offered());
      hls.on(Hls.Events.LEVEL_SWITCHED, () => this.#hls === hls && this.dispatchEvent(new Event('levels')));
      hls.on(Hls.Events.FRAG_BUFFERED, () => this.#arrived(hls));
      hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.#hls === hls && this.#told(hls, details));
      for (const event of ['SUBTITLE_TRACKS_UPDATED', 'SUBTITLE_TRACKS_CLEARED']) {
        hls.on(Hls.Events[event], () => this.#hls === hls && this.speak(this.#language));
      }
      // Before it has a picture it forgets what it was told.
      hls.once(Hls.Events.FRAG_BUFFERED, () => {
        if (this.#hls !== hls) return;
        this.#filled = true;
        this.speak(this.#language);
        if (this.rewound) this.#begunBack(hls);
      });
      hls.attachMedia(this.#video);
    } else if (this.#video.canPlayType('application/vnd.apple.mpegurl')) {
      this.#video.src = this.#source;
      this.#filled = true;
    } else {
      return this.#say('unsupported');
    }
    if (this.#wanted) this.start();
  }

  #told(hls, { fragments, edge }) {
    const first = this.#fragments.length === 0;
    this.#fragments = fragments;
    if (!first) return;
    const [oldest] = fragments;
    if (this.rewound && oldest?.programDateTime > this.#moment + oldest.duration * 1000) return void queueMicrotask(() => this.live());
    // Once, before hls.js decides where to begin: to begin in the middle of a segment is to decode what nobody sees.
    const wished = this.#wished();
    const behind = this.rewound ? edge - (placeNear(fragments, this.#moment) ?? edge) : wished && behindEdge(fragments, wished);
    hls.config.liveSyncDuration = syncAtSegment(fragments, edge, LIVE_SYNC_S, behind);
  }

  /** The first of the past is there. hls.js may have begun where the picture before was. */
  #begunBack(hls) {
    // Who falls out of the window from now on goes to what is on.
    hls.config.liveSyncDuration = LIVE_SYNC_S;
    const place = placeNear(this.#fragments, this.#moment);
    if (place !== null && Math.abs(place - this.#video.currentTime) > SEGMENT_S) this.#video.currentTime = place;
  }

  /** Returns which moment everybody sees now, as a date in milliseconds; null while unknown. */
  #wished() {
    const now = this.#clock?.now() ?? null;
    return now === null || this.#fragments.length === 0 ? null : now - delayOf(this.#fragments) * 1000;
  }

  /** The address of what is shown. */
  get #source() {
    return this.rewound && this.past ? this.past.url : this.#url;
  }

  #offered() {
    this.#levels = levelsOf(this.#hls);
    this.prefer(this.#choice);
  }

  /** Takes the picture down. */
  #leave() {
    this.#bury();
    this.#former = this.#hls;
    this.#hls = null;
    this.#former?.stopLoad();
    this.#former?.detachMedia();
  }

  #bury() {
    this.#former?.destroy();
    this.#former = null;
  }

  #arrived(hls) {
    this.#bury();
    this.#line = hls.bandwidthEstimate;
    this.#recovery.arrived(performance.now());
  }

  #failed(data) {
    this.stats.failed(data);
    // Nobody may go back any more.
    if (this.rewound && isPlaylist(data) && data.response?.code === 404) return this.live();
    // What was asked for will not come again, and the player need not have given up on it.
    if (this.#changed || !(data.fatal || this.#isChanged(data))) return;
    this.#changed = this.#isChanged(data);
    // A channel that has nothing yet answers 503, one that is no more 404; both are asked again like one out of reach.
    const told = { 404: 'gone', 503: 'starting' }[isPlaylist(data) ? data.response?.code : 0] ?? 'lost';
    this.#lostAs = this.#changed ? 'rebuilding' : told;
    const kind = { networkError: 'network', mediaError: 'media' }[data.type] ?? 'other';
    this.#act(this.#recovery.failed(kind, performance.now(), Math.random()));
  }

  /** Whether the channel has other pictures than a moment ago: one that was listed is no more, or a list is where segments
   *  were. Its own address tells. */
  #isChanged({ details, response }) {
    const gone = response?.code === 404;
    return details === 'levelParsingError' || (details === 'levelLoadError' && gone && this.#levels.length > 1) || (details === 'fragLoadError' && gone && this.lasting);
  }

  #nativeFailed() {
    if (this.#hls || !this.#video.error || !this.#url) return;
    this.stats.failed({ type: 'native', details: `code ${this.#video.error.code}`, fatal: true });
    this.#act(this.#recovery.failed('network', performance.now(), Math.random()));
  }

  #act({ action, delayMs }) {
    clearTimeout(this.#timer);
    this.#say(this.#recovery.lost ? this.#lostAs : 'rebuilding');
    if (action === 'recover' || action === 'swap') {
      if (action === 'swap') this.#hls?.swapAudioCodec();
      this.#hls?.recoverMediaError();
      if (this.#wanted) this.start();
      return;
    }
    this.#timer = setTimeout(() => (action === 'reload' ? this.#reload() : this.#rebuild()), delayMs);
  }

  /** Asks the station again, from where the failed request stood. */
  #reload() {
    clearTimeout(this.#timer);
    if (!this.#hls) return this.#build();
    if (this.#changed) return this.#rebuild();
    if (this.#hls.levels?.length) this.#hls.startLoad();
    else this.#hls.loadSource(this.#source);
  }

  #rebuild() {
    this.stats.rebuilt();
    if (this.rewound) this.#moment = this.playingDate ?? this.#moment;
    this.#say(this.#recovery.lost ? this.#lostAs : 'rebuilding');
    this.#build();
  }

  #moved() {
    if (this.#video.paused || this.#video.currentTime === this.#lastTime) return;
    this.#lastTime = this.#video.currentTime;
    this.#begun ||= this.#filled && this.store.ahead > 0;
    this.#recovery.progressed(performance.now());
    this.#say(this.#recovery.lost ? this.#lostAs : 'playing');
  }

  #tick() {
    const now = performance.now();
    const woke = this.#recovery.woke(Date.now(), this.#video.currentTime);
    // A hidden page may be throttled, a paused one stands still by wish, a blocked one waits for the viewer.
    if (!this.#url || !this.#wanted || this.#state === 'blocked' || document.hidden) {
      return this.#recovery.progressed(now);
    }
    if (woke) return this.#rebuild();
    // Who fell out of the past is where the others are.
    if (this.rewound && now - this.#builtAt > SETTLED_MS && this.now !== null && this.playingDate > this.now - NOW_MS / 2) return this.live();
    const cure = this.#recovery.watch(now);
    if (cure === 'rebuild') return this.#rebuild();
    if (cure !== 'nudge') return;
    this.stats.nudged();
    this.#hls?.startLoad();
    this.toLive();
    this.start();
  }

  /** After sleep or a long stay in the background: back to what is on now. */
  #awake() {
    this.#recovery.progressed(performance.now());
    if (this.#wanted && !this.rewound && (this.latency ?? 0) > LIVE_LATENCY_MAX_S) this.toLive();
    if (this.#wanted && this.#url) this.start();
  }

  #say(state) {
    if (state === this.#state) return;
    if (!this.#wanted && state !== 'paused') return;
    this.#state = state;
    this.dispatchEvent(new Event('state'));
  }

  #facts() {
    const { playingDate, latency, late, chosen, rewound, now } = this;
    return { state: this.#state, playingDate, latency, late, chosen, rewound, now, rate: this.#video.playbackRate };
  }
}

/** A player that knows what the line carries begins with the picture that suits it; else with the first that is listed. */
const lineOf = (bits) => (bits > 0 ? { abrEwmaDefaultEstimate: bits } : {});

const isPlaylist = (data) => /^(manifest|level)/.test(data.details);

function startDate(video) {
  const start = video.getStartDate?.();
  return start && Number.isFinite(start.getTime()) ? new Date(start.getTime() + video.currentTime * 1000) : null;
}
