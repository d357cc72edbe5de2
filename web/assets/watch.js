// The channel's page: joins picture, sound, programme and dial. What is wanted after the first picture is in furniture.js.
import { Dial } from './dial.js';
import { kept } from './kept.js';
import { light } from './light.js';
import { anyOpen } from './menu.js';
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
/** How long the furniture waits for a picture, in milliseconds. */
const FURNISH_AFTER_MS = 1200;

const $ = (id) => document.getElementById(id);
const body = document.body;
const video = $('video');
let furniture = null;

// At night the first picture is not to be a flash; night.js takes over from here.
const { on, dim } = kept('night');
if (on === true && dim >= 0) {
  body.classList.add('night');
  $('veil').style.opacity = Math.min(dim, 85) / 100;
}

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
    said: announce,
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
  furniture?.tuned(id);
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
  const text = state === 'paused' && player.past ? strings.rewind.paused : strings.status[off ? 'off' : state];
  say(text ?? '', soft && !off ? SPEAK_AFTER_MS : 0);
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
    if (furniture && !furniture.open() && !anyOpen() && player.wanted) body.classList.add('idle');
  }, IDLE_MS);
}

$('play').addEventListener('click', playPause);
$('live').addEventListener('click', () => player.live());
$('up').addEventListener('click', () => dial.step(1));
$('down').addEventListener('click', () => dial.step(-1));
for (const event of ['pointermove', 'pointerdown', 'focusin']) addEventListener(event, awake, { passive: true });
addEventListener('popstate', () => dial.go(location.pathname.split('/').pop(), { push: false }));
player.addEventListener('state', showState);
setInterval(showPlay, 1000);

for (const [id, name] of [['up', strings.up], ['down', strings.down]]) {
  $(id).title = name;
  $(id).setAttribute('aria-label', name);
}
$('stage').setAttribute('aria-label', strings.stage);
$('controls').setAttribute('aria-label', strings.controls);
light($('light'), video);
showPlay();
awake();
tune(body.dataset.channel);

let furnishing = null;

/** Brings the rest in, once there is a picture or none is to be had soon: until then it would only be in the way. */
function furnish() {
  if (furnishing) return;
  furnishing = import('./furniture.js').then((module) => {
    furniture = module.furnish({ video, player, sound, quality, programme, dial, tune, announce, awake, playPause });
    globalThis.nightcast = { stats: () => ({ ...player.stats.read(), seen: programme.seen, channel: dial.current }) };
    awake();
  }, () => {
    // The station was away just then.
    furnishing = null;
    setTimeout(furnish, FURNISH_AFTER_MS);
  });
}

player.addEventListener('state', () => player.state === 'playing' && furnish());
setTimeout(furnish, FURNISH_AFTER_MS);
