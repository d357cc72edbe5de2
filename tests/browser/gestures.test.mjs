// Goal: one gesture is one channel, and the sleep timer ends when it said. Method: tables, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FADE_MS, LENGTHS, bedtime, nextLength, stillHolds } from '../../web/assets/bedtime.js';
import { Wheel, swiped } from '../../web/assets/gestures.js';

test('a turn of the wheel is one channel, however long it runs on', () => {
  const turns = (list) => {
    const wheel = new Wheel();
    return list.map(([delta, at, unit = 0]) => wheel.turn(delta, unit, at)).filter(Boolean);
  };
  const flick = Array.from({ length: 60 }, (_, i) => [30 * 0.95 ** i, i * 16]);
  for (const [sentence, list, expected] of [
    ['a notch', [[100, 0]], [1]],
    ['a notch of a wheel that counts in lines', [[-3, 0, 1]], [-1]],
    ['a flick that takes a second', flick, [1]],
    ['two flicks', [...flick, ...flick.map(([delta, at]) => [-delta, at + 2000])], [1, -1]],
    ['a touch', [[3, 0], [4, 20]], []],
    ['touches far apart', [[30, 0], [30, 1000], [30, 2000]], []],
  ]) {
    assert.deepEqual(turns(list), expected, sentence);
  }
});

test('a swipe is quick, straight and not from the edge', () => {
  const go = (x, y, ms, options) => swiped({ x: 200, y: 300, at: 0 }, { x: 200 + x, y: 300 + y, at: ms }, options);
  for (const [sentence, found, expected] of [
    ['up', go(0, -120, 200), 1],
    ['down', go(5, 120, 200), -1],
    ['left', go(-120, 10, 200), 1],
    ['right', go(120, 0, 200), -1],
    ['short', go(0, -30, 200), 0],
    ['slow', go(0, -120, 1500), 0],
    ['askew', go(100, -90, 200), 0],
    ['up where only sideways counts', go(0, -120, 200, { across: true }), 0],
    ['left where only sideways counts', go(-120, 0, 200, { across: true }), 1],
    ['from the edge', go(-120, 0, 200, { width: 210 }), 0],
  ]) {
    assert.ok(found === expected, `${sentence}: ${found}`);
  }
});

test('the sleep timer fades in its last minute and is over when it said', () => {
  const until = 10_000_000;
  for (const [now, left, fade, over] of [
    [until - 15 * 60_000, 15, 1, false],
    [until - FADE_MS - 1, 2, 1, false],
    [until - FADE_MS / 2, 1, 0.5, false],
    [until, 0, 0, true],
    [until + 9_999_999, 0, 0, true],
  ]) {
    assert.deepEqual(bedtime(until, now), { left, fade, over }, String(now - until));
  }
  assert.deepEqual(bedtime(null, 5), { left: 0, fade: 1, over: false });
});

test('the sleep key goes through the lengths and to none again', () => {
  const pressed = [null];
  for (let i = 0; i <= LENGTHS.length; i += 1) pressed.push(nextLength(pressed.at(-1)));
  assert.deepEqual(pressed, [null, 15, 30, 60, 90, null]);
});

test('a bedtime that was stored holds while it lies ahead', () => {
  for (const [until, expected] of [[1000, null], [61_000, 61_000], [90 * 60_000, 90 * 60_000], [1e15, null], [NaN, null]]) {
    assert.equal(stillHolds(until, 1000), expected, String(until));
  }
});
