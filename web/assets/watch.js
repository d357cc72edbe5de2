// The channel's page: joins picture, sound, programme, dial and night, and gives them keys.
import { Dial } from './dial.js';
import { Evening } from './evening.js';
import { light } from './light.js';
import { anyOpen } from './menu.js';
import { Night } from './night.js';
import { Panels } from './panels.js';
import { Player } from './player.js';
import { Programme } from './programme.js';
import { Quality } from './quality.js';
import { listenToHands, listenToKeys } from './remote.js';
import { Screens } from './screens.js';
import { mediaKeys } from './session.js';
import { snow } from './snow.js';
import { Sound } from './sound.js';
import { Steering } from './steering.js';
import { strings } from './strings.js';
import { Subtitles } from './subtitles.js';

/** How long controls stay without a movement, in milliseconds. */
const IDLE_MS = 3200;
/** How long the connection may be quiet before the page speaks of it: most pauses are over sooner. */
const SPEAK_AFTER_MS = 700;

const $ = (id) => document.getElementById(id);
const body = document.body;
const video = $('video');

// `?sync=off` is for those who do not want to be led.
const together = new URLSearchParams(location.search).get('sync') !== 'off';
const player = new Player(video, { together });
if (together) new Steering(video, player);
const sound = new Sound(video, player, { mute: $('mute'), volume: $('volume'), sound: $('sound') });
const quality = new Quality(player, { button: $('quality'), menu: $('qualities') });
const subtitles = new Subtitles(player, { button: $('subtitles'), menu: $('languages') });
const screens = new Screens(video, player, { full: $('full'), pip: $('pip'), cast: $('cast'), told: announce });
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
    said: announce,
  },
  body.dataset.channel,
  tune,
  () => programme.seen.now,
);
const panels = new Panels([
  { name: 'listing', button: $('list'), panel: $('channels') },
  { name: 'programmes', button: $('evening'), panel: $('tonight') },
]);
new Evening(programme, { panel: $('tonight'), list: $('tonight').querySelector('div'), heading: $('tonight').querySelector('h2') });
const night = new Night(
  video,
  { button: $('night'), left: $('left'), sheet: $('nights'), veil: $('veil'), dark: $('dark'), asleep: $('asleep') },
  {
    fade: (part) => sound.fade(part),
    sleep: () => {
      panels.close();
      player.stop();
    },
    wake: () => tune(dial.current),
    say: announce,
    show: (text) => dial.osd(text),
  },
);
const onLockScreen = mediaKeys({ play: () => player.resume(), pause: () => player.pause(), nexttrack: () => dial.step(1), previoustrack: () => dial.step(-1) });
const fall = snow($('snow'), () => body.classList.contains('tuning'));

function tune(id) {
  body.classList.add('tuning');
  fall();
  video.setAttribute('aria-label', strings.picture(id));
  player.tune(`/channels/${id}/index.m3u8`);
  programme.tune(id);
  screens.tune(`/channels/${id}/index.m3u8`);
}

/** Says something to those who do not see what is shown. */
function announce(text) {
  $('said').textContent = text;
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

let idle = 0;

function awake() {
  body.classList.remove('idle');
  clearTimeout(idle);
  idle = setTimeout(() => {
    // Keyboard focus is no reason to stay: any key brings the controls back before it does anything.
    if (!panels.open && !anyOpen() && player.wanted) body.classList.add('idle');
  }, IDLE_MS);
}

const keys = {
  k: playPause,
  ' ': playPause,
  m: () => sound.toggle(),
  f: () => screens.full(),
  p: () => screens.small(),
  q: () => quality.toggle(),
  s: () => subtitles.toggle(),
  n: () => night.turn(),
  z: () => night.next(),
  c: () => panels.toggle('listing'),
  i: () => panels.toggle('programmes'),
  l: () => player.resume(),
  ArrowUp: () => sound.louder(1),
  ArrowDown: () => sound.louder(-1),
  ArrowRight: () => dial.step(1),
  ArrowLeft: () => dial.step(-1),
  PageUp: () => dial.step(1),
  PageDown: () => dial.step(-1),
  Escape: () => panels.close(),
};

listenToKeys(keys, (digit) => dial.digit(digit), (event) => {
  awake();
  // What wakes the set does nothing else, and what only leads to a key wakes nobody.
  if (!night.asleep || event.key === 'Tab' || event.key === 'Shift') return false;
  night.wake();
  return true;
});
listenToHands($('stage'), (by) => night.asleep || dial.step(by));

$('play').addEventListener('click', playPause);
$('live').addEventListener('click', () => player.resume());
$('up').addEventListener('click', () => dial.step(1));
$('down').addEventListener('click', () => dial.step(-1));
$('stage').addEventListener('dblclick', (event) => event.target.closest('button, input, .menu') || screens.full());
for (const event of ['pointermove', 'pointerdown', 'focusin']) addEventListener(event, awake, { passive: true });
addEventListener('popstate', () => dial.go(location.pathname.split('/').pop(), { push: false }));
player.addEventListener('state', showState);
setInterval(() => {
  showPlay();
  onLockScreen($('title').textContent, $('name').textContent, body.dataset.station);
}, 1000);

for (const [id, name] of [['up', strings.up], ['down', strings.down], ['list', strings.showChannels], ['evening', strings.evening.button]]) {
  $(id).title = name;
  $(id).setAttribute('aria-label', name);
}
$('stage').setAttribute('aria-label', strings.stage);
$('controls').setAttribute('aria-label', strings.controls);
globalThis.nightcast = { stats: () => ({ ...player.stats.read(), seen: programme.seen, channel: dial.current }) };
light($('light'), video);
showPlay();
awake();
tune(body.dataset.channel);
