// Goal: what people notice over an evening in front of the page: they see what their friends see, nothing that happens to their
// line or their device ends it, and zapping leaves nothing behind. Method: one real station with ten channels and real
// Chromiums. What waits most of its time waits at once.
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './support/browser.mjs';
import { realStation } from './support/station.mjs';
import { back } from './evening/back.mjs';
import { cutOff, pair, sleeper } from './evening/company.mjs';
import { autoplay, hands, night, quiet, screens, sleepTimer, subtitles } from './evening/room.mjs';
import { zapping } from './evening/zapping.mjs';

/** Ten channels with the same films, which are made ready once. */
const CHANNELS = Array.from({ length: 10 }, (_, n) => ({ id: `deep-${n}`, name: `Deep ${n}`, folder: 'deep-green', more: n === 9 ? 'rewind = "10min"\n' : '' }));

const at = {};

before(async () => {
  [at.station, at.browser] = await Promise.all([realStation({ channels: CHANNELS }), startBrowser()]);
});

after(async () => {
  await at.browser?.close();
  await at.station?.close();
});

describe('an evening', { concurrency: true }, () => {
  test('two browsers on one channel are within 150 ms of each other within a minute, unless they would rather not', (t) => pair(t, at));
  test('who is cut off for half a minute is back by itself, at what is on', (t) => cutOff(t, at));
  test('who slept wakes to what is on, and the page goes on by itself', (t) => sleeper(t, at));
  test('a hundred zaps through ten channels leave no stuck picture and nothing behind', (t) => zapping(t, at));
  describe('in one room', { concurrency: false }, () => {
    test('wheel and finger change the channel, one at a time', (t) => hands(t, at));
    test('night is dim, is said to be, and is remembered', (t) => night(t, at));
    test('quiet sound outlives channels and players', (t) => quiet(t, at));
    test('a page that begins at night without a gesture plays', (t) => autoplay(t, at));
    test('the sleep timer fades, ends in the dark, asks the station for nothing, and a key comes back', (t) => sleepTimer(t, at));
    test('one goes back over the bar, to a beginning and after a pause, and returns to what is on', (t) => back(t, at));
    test('subtitles are offered where there are some, and the choice is remembered', (t) => subtitles(t, at));
    test('the picture goes to a small window and to another set where there are such', (t) => screens(t, at));
  });
});
