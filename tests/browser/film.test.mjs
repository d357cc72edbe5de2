// Goal: a film that was begun goes on where it was left, and nothing else does. Method: tables, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goesOnAt, remembered } from '../../web/assets/film-places.js';

test('one goes on a little before where one was, unless one had not begun or has seen it', () => {
  for (const [sentence, left, duration, at] of [
    ['never seen', 0, 5400, 0],
    ['looked into', 19, 5400, 0],
    ['begun', 754, 5400, 751],
    ['before the last words', 5200, 5400, 5197],
    ['at the end', 5390, 5400, 0],
    ['at the end of a clip', 45, 60, 0],
    ['in a clip', 30, 60, 27],
    ['nonsense', NaN, 5400, 0],
    ['of no length', 30, 0, 0],
  ]) {
    assert.equal(goesOnAt(left, duration), at, sentence);
  }
});

test('what was seen is forgotten, and so is what was left the longest ago', () => {
  assert.deepEqual(remembered({}, 'a/1', 100.4, 500, 7), { 'a/1': [100, 500, 7] });
  assert.deepEqual(remembered({ 'a/1': [100, 500, 7] }, 'a/1', 499, 500, 8), {});
  assert.deepEqual(remembered({ broken: 'yes' }, 'a/1', 100, 500, 7), { 'a/1': [100, 500, 7] });
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`a/${n}`, [100, 500, n]]));
  const after = remembered(many, 'b/1', 50, 500, 999);
  assert.equal(Object.keys(after).length, 200);
  assert.ok(after['b/1'] && after['a/1'] && !after['a/0']);
});
