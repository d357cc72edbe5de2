// Goal: now and next by the viewer's clock. Method: tables, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, byline, length, timeline } from '../../web/assets/guide.js';
import { hourWidth, markEvery, untangled } from '../../web/assets/guide-data.js';
import { due } from '../../web/assets/reminders.js';

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

test('of two answers that disagree no programme reaches into the next', () => {
  const one = (key, start, end) => ({ key, start, end });
  for (const [sentence, told, expected] of [
    ['in order as they are', [one('a', 0, 10), one('b', 10, 20)], ['a 0-10', 'b 10-20']],
    ['out of order', [one('b', 10, 20), one('a', 0, 10)], ['a 0-10', 'b 10-20']],
    ['cut by the next', [one('a', 0, 15), one('b', 10, 20)], ['a 0-10', 'b 10-20']],
    ['the card until something comes', [one('a', 0, Infinity), one('b', 10, 20)], ['a 0-10', 'b 10-20']],
    ['a hole stays one', [one('a', 0, 5), one('b', 10, 20)], ['a 0-5', 'b 10-20']],
    ['one that was replaced goes', [one('a', 10, 12), one('b', 10, 20)], ['b 10-20']],
  ]) {
    assert.deepEqual(untangled(told).map(({ key, start, end }) => `${key} ${start}-${end}`), expected, sentence);
  }
});

test('an hour is as wide as the usual programme needs, within reason', () => {
  const minutes = (...all) => all.map((one) => one * 60_000);
  assert.equal(hourWidth([]), 14);
  assert.equal(hourWidth(minutes(90, 120, 100)), 14, 'films');
  assert.equal(hourWidth(minutes(3, 4, 3, 5, 120)), 120, 'songs, and one film among them');
  assert.equal(hourWidth(minutes(0.1, 0.1)), 1200, 'clips');
  for (const [width, every] of [[14, 30], [25, 15], [120, 5], [400, 1], [2, 120]]) {
    assert.equal(markEvery(width) / 60_000, every, `an hour of ${width} rem`);
  }
});

test('a reminder is due a minute before and until the end, and then forgotten', () => {
  const one = { channel: 'cats', serial: 7, start: 600_000, end: 900_000 };
  for (const [moment, isDue, isLeft] of [[0, 0, 1], [539_999, 0, 1], [540_000, 1, 0], [899_999, 1, 0], [900_000, 0, 0]]) {
    const { due: now, left } = due([one], moment);
    assert.deepEqual([now.length, left.length], [isDue, isLeft], `at ${moment}`);
  }
});
