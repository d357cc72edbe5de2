// Goal: one may go back as far as there is something, programmes are where they were, and what is about to go is left alone.
// Method: tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marksOf, reachOf, startOf, titleAt, within } from '../../web/assets/past.js';
import { momentAt, placeNear } from '../../web/assets/sync.js';

const NOW = 1_795_000_000_000;
const at = (seconds) => NOW + seconds * 1000;
const told = (seconds, window = 7200) => ({ from: new Date(at(seconds)).toISOString(), window_seconds: window });
const airing = (serial, start, end, more = {}) => ({ serial, start: at(start), end: at(end), title: `film ${serial}`, slate: false, ...more });

test('one may go back to a little after the oldest, and only where it is worth it', () => {
  assert.deepEqual(reachOf(told(-600), NOW), { from: at(-588), to: NOW });
  assert.deepEqual(reachOf(told(-9000, 7200), NOW), { from: at(-7188), to: NOW }, 'what was told is a while ago');
  for (const [rewind, now] of [[null, NOW], [told(-30), NOW], [told(-600), null]]) assert.equal(reachOf(rewind, now), null);
  assert.deepEqual([-9999, -100, 50].map((s) => within({ from: at(-588), to: NOW }, at(s))), [at(-588), at(-100), NOW]);
});

test('programmes are marked where they begin, cards are not, and one that was broken off is one', () => {
  const reach = { from: at(-100), to: NOW };
  const evening = [airing(1, -150, -75), airing(null, -75, -50, { slate: true }), airing(2, -50, -20), airing(null, -20, -15, { slate: true }), airing(2, -15, 40), airing(3, 40, 90)];
  assert.deepEqual(marksOf(evening, reach), [{ share: 0.5, title: 'film 2' }]);
  assert.deepEqual([-80, -60, -18, -1, -1000].map((s) => titleAt(evening, at(s))), ['film 1', '', 'film 2', 'film 2', '']);
});

test('a programme is started over from its beginning, or from the oldest of it that is there', () => {
  const reach = { from: at(-100), to: NOW };
  for (const [sentence, one, expected] of [
    ['on air', airing(1, -60, 60), at(-60)],
    ['it began before', airing(1, -500, 60), at(-100)],
    ['it is over', airing(1, -90, -30), at(-90)],
    ['it is gone', airing(1, -300, -200), null],
    ['it has hardly begun', airing(1, -3, 60), null],
    ['a card', airing(null, -60, 60, { slate: true }), null],
    ['nothing', null, null],
  ]) {
    assert.equal(startOf(one, reach), expected, sentence);
  }
  assert.equal(startOf(airing(1, -60, 60), null), null);
});

test('a moment that is missing in the past is the first after it', () => {
  const fragments = [{ start: 10, duration: 2, programDateTime: 50_000 }, { start: 12, duration: 2, programDateTime: 90_000 }];
  assert.deepEqual([40_000, 51_000, 60_000, 99_000].map((moment) => placeNear(fragments, moment)), [10, 11, 12, null]);
  assert.deepEqual([10, 11.5, 13, 14, 9].map((place) => momentAt(fragments, place)), [50_000, 51_500, 91_000, null, null]);
});
