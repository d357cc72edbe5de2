// The channel's page: joins picture, sound, programme and dial, and gives them keys.
import { Dial } from './dial.js';
import { light } from './light.js';
import { Player } from './player.js';
import { Programme } from './programme.js';
import { Quality } from './quality.js';
import { Sound } from './sound.js';
import { Steering } from './steering.js';
import { strings } from './strings.js';

/** How long controls stay without a movement, in milliseconds. */
const IDLE_MS = 3200;
/** How long the connection may be quiet before the page speaks of it: most pauses are over sooner. */
const SPEAK_AFTER_MS = 700;

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const body = document.body;
const video = $('video');

// `?sync=off` is for those who do not want to be led.
const together = new URLSearchParams(location.search).get('sync') !== 'off';
const player = new Player(video, { together });
if (together) new Steering(video, player);
const sound = new Sound(video, player, { mute: $('mute'), volume: $('volume'), sound: $('sound') });
const quality = new Quality(player, { button: $('quality'), menu: $('qualities') });
const programme = new Programme(player, {
  title: $('title'),
  byline: $('byline'),
  description: $('description'),
  progress: $('progress'),
  elapsed: $('elapsed'),
  next: $('next'),
  status: say,
  turned: showState,
});
const dial = new Dial(
  {
    nav: $('channels'),
    list: $('channels').querySelector('ol'),
    heading: $('channels').querySelector('h2'),
    number: $('number'),
    name: $('name'),
    osd: $('osd'),
    up: $('up'),
    down: $('down'),
    toggle: $('list'),
  },
  body.dataset.channel,
  tune,
  () => programme.seen.now,
);

function tune(id) {
  body.classList.add('tuning');
  video.setAttribute('aria-label', strings.picture(id));
  player.tune(`/channels/${id}/index.m3u8`);
  programme.tune(id);
}

let speaking = 0;

/** Says something under the picture; what passes quickly is not worth saying. */
function say(text, afterMs = 0) {
  clearTimeout(speaking);
  const speak = () => {
    $('status').textContent = text;
    body.classList.toggle('speaking', text !== '');
  };
  if (afterMs === 0 || text === '') speak();
  else speaking = setTimeout(speak, afterMs);
}

let answered = null;

function showState() {
  const { state } = player;
  if (state === 'playing') body.classList.remove('tuning');
  // A channel without a playlist may be starting, or off the air: the guide tells which.
  if (state === 'starting' && state !== answered) programme.look();
  answered = state;
  const off = programme.off && !['playing', 'paused', 'blocked', 'unsupported'].includes(state);
  // What was on last is not what is on.
  body.classList.toggle('away', off);
  const soft = state === 'tuning' || state === 'waiting';
  say(strings.status[off ? 'off' : state] ?? '', soft && !off ? SPEAK_AFTER_MS : 0);
  showPlay();
}

function showPlay() {
  const name = player.wanted ? strings.pause : strings.play;
  $('play').setAttribute('aria-label', name);
  $('play').title = name;
  $('play').classList.toggle('paused', !player.wanted);
  const behind = player.behind;
  $('live').classList.toggle('behind', behind);
  $('live').lastElementChild.textContent = behind ? strings.backToLive : strings.live;
}

function playPause() {
  if (player.wanted && player.state !== 'blocked') player.pause();
  else player.resume();
}

async function fullScreen() {
  if (document.fullscreenElement) return document.exitFullscreen();
  // Phones of one maker know it for the video element only.
  if (root.requestFullscreen) return root.requestFullscreen({ navigationUI: 'hide' });
  return video.webkitEnterFullscreen?.();
}

function showFull() {
  const full = Boolean(document.fullscreenElement);
  $('full').title = full ? strings.leaveFull : strings.full;
  $('full').setAttribute('aria-label', $('full').title);
}

function list(open = !body.classList.contains('listing')) {
  body.classList.toggle('listing', open);
  $('list').setAttribute('aria-expanded', String(open));
  if (open) $('channels').querySelector('[aria-current]')?.focus({ preventScroll: true });
  else if ($('channels').contains(document.activeElement)) $('list').focus();
}

let idle = 0;

function awake() {
  body.classList.remove('idle');
  clearTimeout(idle);
  idle = setTimeout(() => {
    // Keyboard focus is no reason to stay: any key brings the controls back before it does anything.
    if (!body.classList.contains('listing') && !quality.open && player.wanted) body.classList.add('idle');
  }, IDLE_MS);
}

const keys = {
  k: playPause,
  ' ': playPause,
  m: () => sound.toggle(),
  f: fullScreen,
  q: () => quality.toggle(),
  c: () => list(),
  l: () => player.resume(),
  ArrowUp: () => sound.louder(1),
  ArrowDown: () => sound.louder(-1),
  ArrowRight: () => dial.step(1),
  ArrowLeft: () => dial.step(-1),
  PageUp: () => dial.step(1),
  PageDown: () => dial.step(-1),
  Escape: () => (quality.open ? quality.toggle(false) : list(false)),
};

addEventListener('keydown', (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  awake();
  if (event.defaultPrevented) return;
  const onControl = event.target.closest?.('button, a, input');
  // A focused button or link is pressed by space, and a slider moved by arrows, as everywhere.
  if (onControl && (event.key === ' ' || event.key === 'Enter')) return;
  if (event.target.closest?.('input') && event.key.startsWith('Arrow')) return;
  const digit = /^[0-9]$/.test(event.key);
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!digit && !act) return;
  event.preventDefault();
  if (digit) dial.digit(event.key);
  else act();
});

$('play').addEventListener('click', playPause);
$('live').addEventListener('click', () => player.resume());
$('full').addEventListener('click', fullScreen);
$('list').addEventListener('click', () => list());
$('up').addEventListener('click', () => dial.step(1));
$('down').addEventListener('click', () => dial.step(-1));
$('stage').addEventListener('dblclick', (event) => event.target.closest('button, input') || fullScreen());
for (const event of ['pointermove', 'pointerdown', 'focusin']) addEventListener(event, awake, { passive: true });
addEventListener('popstate', () => dial.go(location.pathname.split('/').pop(), { push: false }));
document.addEventListener('fullscreenchange', showFull);
player.addEventListener('state', showState);
setInterval(showPlay, 1000);

for (const [id, name] of [['up', strings.up], ['down', strings.down], ['list', strings.showChannels]]) {
  $(id).title = name;
  $(id).setAttribute('aria-label', name);
}
$('controls').setAttribute('aria-label', strings.controls);
globalThis.nightcast = { stats: () => ({ ...player.stats.read(), seen: programme.seen, channel: dial.current }) };
light($('light'), video);
showFull();
showPlay();
awake();
tune(body.dataset.channel);
