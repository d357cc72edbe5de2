// Goal: the page never gives up, and never storms the station. Method: tables and long sequences, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACK_OFF_MAX_MS, BACK_OFF_MIN_MS, Recovery, STUCK_MS, STUCK_WHILE_LOST_MS } from '../../web/assets/recovery.js';

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
