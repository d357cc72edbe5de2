// Goal: now and next by the viewer's clock. Method: tables, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, byline, length, timeline } from '../../web/assets/guide.js';

const airing = (title, start, seconds) => ({ title, start: new Date(start * 1000).toISOString(), duration_seconds: seconds });
const channel = {
  aired: [airing('one', 1000, 100), airing('two', 1100, 100)],
  now: airing('two', 1100, 100),
  next: [airing('three', 1200, 50), airing('four', 1250, 50)],
};

test('a viewer behind the edge sees what was on then, and what follows it', () => {
  const airings = timeline(channel);
  for (const [moment, now, next, position] of [
    [1000, 'one', 'two', 0],
    [1099.9, 'one', 'two', 99.9],
    [1100, 'two', 'three', 0],
    [1260, 'four', undefined, 10],
    [2000, 'four', undefined, 50],
    [900, undefined, 'one', 0],
  ]) {
    const seen = at(airings, moment * 1000);
    assert.deepEqual([seen.now?.title, seen.next?.title, Math.round(seen.position * 10) / 10], [now, next, position], `at ${moment}`);
  }
});

test('an airing told twice is listed once, and nothing at all is no error', () => {
  assert.deepEqual(timeline(channel).map(({ title }) => title), ['one', 'two', 'three', 'four']);
  assert.deepEqual(at(timeline({}), 0), { now: null, next: null, position: 0 });
});

test('lengths read as clocks', () => {
  assert.deepEqual([0, 59.9, 245, 3723, -1].map(length), ['0:00', '0:59', '4:05', '1:02:03', '0:00']);
});

test('a byline tells what there is', () => {
  assert.equal(byline({ author: 'A', date: '2024' }), 'A · 2024');
  assert.equal(byline({ author: null, date: '2024' }), '2024');
  assert.equal(byline({ author: 'A', date: '2024-11-03' }), 'A · 2024');
  assert.equal(byline({ author: 'A', date: 'May 1931' }), 'A · May 1931');
  assert.equal(byline(null), '');
});
