// The page of one film, watched when one likes: the channel's player with a line to go to and fro on.
import { Bar, STEP_S } from './film-bar.js';
import { End } from './film-end.js';
import { goesOnAt, leave, places } from './film-places.js';
import { FilmPlayer } from './film-player.js';
import { length } from './guide.js';
import { light } from './light.js';
import { anyOpen, Menu } from './menu.js';
import { Quality } from './quality.js';
import { listenToKeys } from './remote.js';
import { Screens } from './screens.js';
import { mediaKeys } from './session.js';
import { Sound } from './sound.js';
import { strings } from './strings.js';
import { Subtitles } from './subtitles.js';

/** How long controls stay without a movement, and how often it is remembered where one is, in milliseconds. */
const IDLE_MS = 3200;
const REMEMBER_MS = 5000;
/** How long the connection may be quiet before the page speaks of it, in milliseconds. */
const SPEAK_AFTER_MS = 700;
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

const $ = (id) => document.getElementById(id);
const { body } = document;
const { channel, item, name, station } = body.dataset;
const duration = Number(body.dataset.seconds);
const film = `${channel}/${item}`;
const video = $('video');

// A link may name a moment, `?t=754`; else one goes on where one was.
const named = Number(new URLSearchParams(location.search).get('t') ?? NaN);
const [left] = places()[film] ?? [0];
const from = named >= 0 && named < duration ? named : goesOnAt(left, duration);

const player = new FilmPlayer(video, from);
const sound = new Sound(video, player, { mute: $('mute'), volume: $('volume'), sound: $('sound') });
const quality = new Quality(player, { button: $('quality'), menu: $('qualities') });
const subtitles = new Subtitles(player, { button: $('subtitles'), menu: $('languages') });
const screens = new Screens(video, player, { full: $('full'), pip: $('pip'), cast: $('cast'), told: (text) => ($('said').textContent = text) });
const bar = new Bar(video, player, { scrub: $('scrub'), hover: $('hover'), elapsed: $('elapsed'), left: $('left') }, duration);
const end = new End($('ended'), { channel, item, name }, () => begin());

let speaking = 0;

function say(text, afterMs = 0) {
  clearTimeout(speaking);
  const speak = () => {
    $('status').textContent = text;
    body.classList.toggle('speaking', text !== '');
  };
  if (afterMs === 0 || text === '') speak();
  else speaking = setTimeout(speak, afterMs);
}

function showState() {
  const { state } = player;
  say(strings.film.status[state] ?? strings.status[state] ?? '', state === 'tuning' || state === 'waiting' ? SPEAK_AFTER_MS : 0);
  const does = player.wanted ? strings.pause : strings.play;
  $('play').setAttribute('aria-label', does);
  $('play').title = does;
  $('play').classList.toggle('paused', !player.wanted);
}

function playPause() {
  if (end.shown) return begin();
  if (player.wanted && player.state !== 'blocked') player.pause();
  else player.resume();
  remember();
}

/** From the beginning. */
function begin() {
  end.hide();
  $('went-on').hidden = true;
  player.seek(0);
  player.resume();
}

function remember() {
  if (video.readyState > 0) leave(film, video.ended ? duration : player.place, duration);
}

/** Goes elsewhere; whoever had come to the end goes on from there. */
function go(act) {
  const over = end.shown;
  end.hide();
  act();
  if (over) player.resume();
}

const speed = new Menu($('speed'), $('speeds'), strings.film.speed, (n) => speeds(SPEEDS[n]));

function speeds(rate) {
  video.defaultPlaybackRate = rate;
  video.playbackRate = rate;
  const told = strings.film.times(rate);
  $('speed').lastElementChild.textContent = told;
  $('speed').title = strings.film.speedIs(told);
  $('speed').setAttribute('aria-label', $('speed').title);
  speed.show(SPEEDS.map(strings.film.times), SPEEDS.indexOf(rate));
}

function faster(by) {
  const at = SPEEDS.indexOf(video.playbackRate) + by;
  if (SPEEDS[at]) speeds(SPEEDS[at]);
}

let idle = 0;

function awake() {
  body.classList.remove('idle');
  clearTimeout(idle);
  idle = setTimeout(() => {
    if (!anyOpen() && player.wanted && !end.shown) body.classList.add('idle');
  }, IDLE_MS);
}

const steps = { back: () => go(() => bar.step(-STEP_S)), ahead: () => go(() => bar.step(STEP_S)) };
const keys = {
  k: playPause,
  ' ': playPause,
  m: () => sound.toggle(),
  f: () => screens.full(),
  p: () => screens.small(),
  q: () => quality.toggle(),
  s: () => subtitles.toggle(),
  j: steps.back,
  l: steps.ahead,
  '<': () => faster(-1),
  '>': () => faster(1),
  ArrowLeft: steps.back,
  ArrowRight: steps.ahead,
  ArrowUp: () => sound.louder(1),
  ArrowDown: () => sound.louder(-1),
  Home: () => go(() => bar.part(0)),
};

listenToKeys(keys, (digit) => go(() => bar.part(Number(digit) / 10)), () => {
  awake();
  return false;
});
for (const [id, act] of Object.entries(steps)) $(id).addEventListener('click', act);
$('play').addEventListener('click', playPause);
$('stage').addEventListener('click', (event) => {
  // A finger on the picture asks for the controls, and nothing more.
  if (event.pointerType === 'mouse' && event.target === video) playPause();
});
$('stage').addEventListener('dblclick', (event) => event.target === video && screens.full());
for (const event of ['pointermove', 'pointerdown', 'focusin']) addEventListener(event, awake, { passive: true });
for (const event of ['seeked', 'pause']) video.addEventListener(event, remember);
addEventListener('pagehide', remember);
setInterval(() => video.paused || remember(), REMEMBER_MS);
player.addEventListener('state', showState);
video.addEventListener('ended', () => {
  remember();
  end.show();
  awake();
});

for (const [id, text] of [['back', strings.film.back], ['ahead', strings.film.ahead]]) {
  $(id).title = text;
  $(id).setAttribute('aria-label', text);
}
$('library').textContent = strings.film.library;
$('stage').setAttribute('aria-label', strings.stage);
$('controls').setAttribute('aria-label', strings.controls);
video.setAttribute('aria-label', $('title').textContent);
if (from > 0 && !(named >= 0)) {
  const [told, again] = $('went-on').children;
  told.textContent = strings.film.wentOn(length(from));
  again.textContent = strings.film.fromStart;
  again.addEventListener('click', begin);
  $('went-on').hidden = false;
}
const url = `/vod/${channel}/${item}/index.m3u8`;
const steer = { play: () => player.resume(), pause: () => player.pause(), seekbackward: steps.back, seekforward: steps.ahead };
mediaKeys({ ...steer, seekto: ({ seekTime }) => go(() => player.seek(seekTime)) })($('title').textContent, name, station);
light($('light'), video);
speeds(1);
showState();
awake();
player.tune(url);
screens.tune(url);
globalThis.nightcast = { stats: () => player.stats.read() };
