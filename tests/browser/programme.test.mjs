// Goal: the programme tells every film once, and tells apart what was, is and comes by the viewer's own moment. Method: tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows } from '../../web/assets/evening.js';

const airing = (serial, start, end, more = {}) => ({ serial, start, end, title: `film ${serial}`, slate: false, ...more });
const told = (airings, moment) => rows(airings, moment).map(({ when, airing: { serial } }) => `${when} ${serial}`);

test('what was, is and comes is told by the moment that is seen', () => {
  const evening = [airing(1, 0, 100), airing(2, 100, 200), airing(3, 200, 300)];
  for (const [moment, expected] of [
    [-5, ['later 1', 'later 2', 'later 3']],
    [0, ['now 1', 'later 2', 'later 3']],
    [150, ['earlier 1', 'now 2', 'later 3']],
    [300, ['earlier 1', 'earlier 2', 'earlier 3']],
  ]) {
    assert.deepEqual(told(evening, moment), expected, String(moment));
  }
  assert.deepEqual(told([], 0), []);
});

test('a card is no programme, and a film that was taken up again after a break is told once', () => {
  const card = airing(null, 50, 70, { slate: true });
  const broken = [airing(1, 0, 100), card, airing(1, 70, 170), airing(2, 170, 300)];
  for (const moment of [80, 120]) assert.deepEqual(told(broken, moment), ['now 1', 'later 2'], String(moment));
});

test('a film that was cut short is over when the next begins', () => {
  assert.deepEqual(told([airing(1, 0, 1000), airing(2, 400, 900)], 500), ['earlier 1', 'now 2']);
});

test('a long evening is told in part: the last that were and the next that come', () => {
  const long = Array.from({ length: 100 }, (_, n) => airing(n, n * 10, n * 10 + 10));
  const list = told(long, 505);
  assert.equal(list.length, 8 + 1 + 10);
  assert.deepEqual([list[0], list[8], list.at(-1)], ['earlier 42', 'now 50', 'later 60']);
});
