// Goal: players are led to one moment gently, and left alone where they have other troubles. Method: tables, and a simulated
// player that obeys; no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StationClock } from '../../web/assets/clock.js';
import { behindEdge, placeOf } from '../../web/assets/sync.js';
import { Together, delayOf } from '../../web/assets/together.js';

const STORE = { ahead: 5, behind: 20 };

/** Plays for so many seconds from a difference on, and returns { late, rates, leaps }. */
function play(late, seconds, { store = STORE, together = new Together(), from = 0 } = {}) {
  const [rates, leaps] = [[], []];
  for (let now = from; now < from + seconds * 1000; now += 500) {
    const { rate, leap } = together.steer(late, store, now);
    rates.push(rate);
    if (leap) leaps.push(leap);
    late -= leap + (rate - 1) * 0.5;
  }
  return { late, rates, leaps };
}

test('who is up to a second off is with the others within 45 seconds, and never faster than by three hundredths', () => {
  for (const off of [-1, -0.7, -0.3, -0.06, 0.06, 0.2, 0.5, 1]) {
    const { late, rates, leaps } = play(off, 45);
    assert.ok(Math.abs(late) <= 0.05, `${off} became ${late}`);
    assert.deepEqual(leaps, []);
    assert.ok(rates.every((rate) => Math.abs(rate - 1) <= 0.03 + 1e-9), String(rates));
  }
});

test('who is within 50 milliseconds is let alone', () => {
  for (const off of [-0.05, -0.01, 0, 0.03, 0.05]) assert.ok(play(off, 30).rates.every((rate) => rate === 1), String(off));
});

test('what is far off is made good by one leap, and what is fresh by a smaller one', () => {
  const settled = new Together();
  play(0, 2, { together: settled });
  for (const [sentence, late, store, together, expected] of [
    ['far behind', 4, { ahead: 9, behind: 0 }, settled, [4]],
    ['far behind, and nothing there to show yet', 4, { ahead: 4, behind: 0 }, settled, []],
    ['far ahead, and nothing kept', -4, { ahead: 3, behind: 1 }, settled, []],
    ['just begun', 1.5, { ahead: 6, behind: 0 }, new Together(), [1.5]],
    ['just begun, and near', 0.9, { ahead: 6, behind: 0 }, new Together(), []],
  ]) {
    assert.deepEqual(play(late, 3, { store, together, from: 60_000 }).leaps, expected, sentence);
  }
});

test('leaps are few, also where they do not help', () => {
  const together = new Together();
  let leaps = 0;
  for (let now = 0; now < 600_000; now += 500) leaps += together.steer(5, { ahead: 20, behind: 0 }, now).leap > 0;
  assert.ok(leaps >= 1 && leaps <= 4, `${leaps} leaps`);
});

test('nobody is hurried who has little in store or ran dry; slowing down is always allowed', () => {
  const together = new Together();
  play(0, 2, { together });
  const rate = (late, ahead, now) => together.steer(late, { ahead, behind: 0 }, now).rate;
  assert.equal(rate(0.4, 2, 3000), 1, 'little in store');
  assert.ok(rate(0.4, 5, 3500) > 1);
  together.dry(4000);
  assert.equal(rate(0.4, 5, 5000), 1, 'just ran dry');
  assert.ok(rate(-0.4, 1, 5500) < 1, 'slower costs nothing');
  assert.ok(rate(0.4, 5, 17_000) > 1, 'later');
  together.dry(20_000);
  together.dry(40_000);
  assert.equal(rate(0.4, 5, 100_000), 1, 'three times in two minutes');
  assert.ok(rate(0.4, 5, 170_000) > 1, 'long after');
});

test('a difference that is not known changes nothing', () => {
  for (const late of [null, NaN]) assert.deepEqual(new Together().steer(late, STORE, 0), { rate: 1, leap: 0 });
});

test('the delay is greater where segments are long, and the same for all who read one playlist', () => {
  const of = (...durations) => delayOf(durations.map((duration) => ({ duration })));
  assert.deepEqual([of(), of(2, 2, 2), of(2, 6.4, 2), of(6.4, 2, 2, 2, 2, 2, 2)], [9, 9, 13, 9]);
});

test("the station's clock is known by its quickest answer, and forgotten when this device slept or was set", () => {
  const clock = new StationClock();
  assert.equal(clock.at(0, 0), null);
  clock.heard(1000, 5030, 1060, 1060);
  assert.equal(clock.offset, 4000);
  clock.heard(2000, 6500, 3000, 3000);
  assert.equal(clock.at(4000, 4000), 8000, 'a slow answer does not count');
  clock.heard(5000, 9012, 5010, 5010);
  assert.equal(clock.at(6000, 6000), 10_007, 'a quicker one does');
  assert.equal(clock.at(606_000, 7000), null, 'after sleep nothing is known');
  clock.heard(607_000, 611_020, 607_010, 8010);
  assert.equal(clock.at(608_000, 9000), 612_015, 'until the next answer');
  clock.heard(608_500, NaN, 608_510, 9510);
  assert.equal(clock.offset, 4015, 'an answer without a time is none');
});

test('a moment is found in the playlist by its dates, also over a change of them', () => {
  const fragments = [
    { start: 100, duration: 2, programDateTime: 50_000 },
    { start: 102, duration: 2, programDateTime: 52_000 },
    { start: 104, duration: 2, programDateTime: 90_000 },
  ];
  for (const [moment, expected] of [[50_500, 100.5], [53_999, 103.999], [54_500, null], [91_000, 105], [92_000, null], [1, null]]) {
    assert.equal(placeOf(fragments, moment), expected, String(moment));
  }
  assert.equal(behindEdge(fragments, 85_000), 7);
  assert.equal(behindEdge([], 0), null);
  assert.equal(placeOf([{ start: 0, duration: 2, programDateTime: null }], 0), null);
});
