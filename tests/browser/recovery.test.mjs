// Goal: the page never gives up, and never storms the station. Method: tables and long sequences, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACK_OFF_MAX_MS, BACK_OFF_MIN_MS, Recovery, SLEPT_MS, STUCK_MS, STUCK_WHILE_LOST_MS } from '../../web/assets/recovery.js';

test('a station that is away is asked again for ever, ever more patiently, never all at once', () => {
  const recovery = new Recovery();
  let before = 0;
  for (let i = 0; i < 1000; i += 1) {
    const { action, delayMs } = recovery.failed('network', i * 1000, 1);
    assert.equal(action, 'reload');
    assert.ok(delayMs >= before && delayMs <= BACK_OFF_MAX_MS, `${i}: ${delayMs}`);
    before = delayMs;
  }
  assert.equal(before, BACK_OFF_MAX_MS);
  assert.equal(recovery.failed('network', 0, 0).delayMs, BACK_OFF_MAX_MS / 2, 'jitter takes up to half');
  recovery.arrived(0);
  assert.equal(recovery.failed('network', 0, 1).delayMs, BACK_OFF_MIN_MS, 'media that arrives ends the patience');
});

test('a media error is cured gently, then with the other audio codec, then by starting anew', () => {
  const recovery = new Recovery();
  const act = (now) => recovery.failed('media', now, 0.5).action;
  assert.deepEqual([act(0), act(1000), act(2000), act(3000)], ['recover', 'swap', 'rebuild', 'recover']);
  assert.equal(act(60_000), 'recover', 'long after, the gentle cure comes first again');
});

test('a picture that stands still without an error is nudged, then rebuilt, and so on for ever', () => {
  const recovery = new Recovery(0);
  assert.equal(recovery.watch(STUCK_MS - 1), null);
  const cures = [];
  for (let now = STUCK_MS; now < STUCK_MS * 40; now += 1000) {
    const cure = recovery.watch(now);
    if (cure) cures.push(cure);
  }
  assert.deepEqual(cures.slice(0, 4), ['nudge', 'rebuild', 'nudge', 'rebuild']);
  assert.ok(cures.length >= 35);
  recovery.progressed(1_000_000);
  assert.equal(recovery.watch(1_000_000 + STUCK_MS), 'nudge', 'progress makes it gentle again');
});

test('while the station is away the watchdog leaves the retries alone, but not for ever', () => {
  const recovery = new Recovery(0);
  recovery.failed('network', 0, 0.5);
  assert.equal(recovery.watch(STUCK_WHILE_LOST_MS - 1), null);
  assert.equal(recovery.watch(STUCK_WHILE_LOST_MS), 'rebuild');
});

test('a device that was asleep is known by time that went by without the picture', () => {
  const asked = (...list) => {
    const recovery = new Recovery();
    return list.map(([wall, place]) => recovery.woke(wall, place)).at(-1);
  };
  for (const [sentence, found, expected] of [
    ['asked for the first time', asked([1e12, 5]), false],
    ['a second later', asked([0, 5], [1000, 6]), false],
    ['ten minutes later', asked([0, 5], [600_000, 5.2]), true],
    ['a minute later, throttled in the background, and it played', asked([0, 5], [60_000, 65]), false],
    ['the same, and it was led a little', asked([0, 5], [60_000, 63.5]), false],
    ['a short doze', asked([0, 5], [SLEPT_MS, 5]), false],
  ]) {
    assert.equal(found, expected, sentence);
  }
});
