// What a room needs besides the picture: panels, night, the remote control, subtitles, other screens.
import { Evening } from './evening.js';
import { Night } from './night.js';
import { Panels } from './panels.js';
import { listenToHands, listenToKeys } from './remote.js';
import { Screens } from './screens.js';
import { mediaKeys } from './session.js';
import { snow } from './snow.js';
import { strings } from './strings.js';
import { Subtitles } from './subtitles.js';

const $ = (id) => document.getElementById(id);
const body = document.body;

/** Furnishes the page; returns { tuned(id), open() }: to be told of each change of channel, and whether a panel is open. */
export function furnish({ video, player, sound, quality, programme, dial, tune, announce, awake, playPause }) {
  const subtitles = new Subtitles(player, { button: $('subtitles'), menu: $('languages') });
  const screens = new Screens(video, player, { full: $('full'), pip: $('pip'), cast: $('cast'), told: announce });
  const panels = new Panels([
    { name: 'listing', button: $('list'), panel: $('channels') },
    { name: 'programmes', button: $('evening'), panel: $('tonight') },
  ]);
  let rewind = null;
  // Only where there is something to go back to.
  let coming = false;
  setInterval(async () => {
    if (!programme.rewind || rewind || coming) return;
    coming = true;
    const { Rewind } = await import('./rewind.js').catch(() => ({}));
    if (Rewind) rewind = new Rewind(player, programme, $('stage'), { show: (text) => dial.osd(text), say: announce, awake });
    coming = false;
  }, 500);
  const again = { startOf: (airing) => rewind?.startOf(airing) ?? null, play: (airing) => rewind.again(airing) };
  new Evening(programme, again, { panel: $('tonight'), list: $('tonight').querySelector('div'), heading: $('tonight').querySelector('h2') });
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
    j: () => rewind?.step(-10),
    l: () => (player.rewound ? rewind.step(10) : player.live()),
    Home: () => rewind?.over(),
    End: () => player.live(),
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
  $('stage').addEventListener('dblclick', (event) => event.target.closest('button, input, .menu') || screens.full());
  setInterval(() => onLockScreen($('title').textContent, $('name').textContent, body.dataset.station), 1000);
  for (const [id, name] of [['list', strings.showChannels], ['evening', strings.evening.button]]) {
    $(id).title = name;
    $(id).setAttribute('aria-label', name);
  }
  const tuned = (id) => {
    fall();
    screens.tune(`/channels/${id}/index.m3u8`);
  };
  tuned(dial.current);
  return { tuned, open: () => panels.open };
}
