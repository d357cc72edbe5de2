// Watching together, and coming back to it.
import assert from 'node:assert/strict';
import { open, pass, plays, startSleeper, stats, until } from '../support/browser.mjs';
import { tell } from '../support/faults.mjs';

/** How near two viewers are to be, in milliseconds, and how long they may take from the first picture on. */
const NEAR_MS = 150;
const WITHIN_MS = 60_000;
/** How often in turn, twice a second, they must be found so near. */
const STAYS = 16;
const SMALL = { viewport: { width: 480, height: 270 } };
/** How long the line is away, and the device asleep, in seconds. The station lists 24 s and serves what was listed for another
 *  24: a device that slept for longer finds nothing of what it knew, as after ten minutes or a night. */
const AWAY_S = 30;
const ASLEEP_S = 45;
/** Who is back is where the others are within this many seconds, and no further behind than that. */
const BACK_MS = 20_000;
const BEHIND_MAX_S = 16;

/** Returns how far a page is behind this machine's clock in milliseconds: both browsers have the same. */
const behind = (page) => page.evaluate(() => Date.now() - nightcast.stats().playingDate);

export async function pair(t, { station, browser }) {
  const url = `${station.url}/watch/deep-0`;
  const [one, other, alone] = [await open(t, browser, url, SMALL), await open(t, browser, url, SMALL), await open(t, browser, `${url}?sync=off`, SMALL)];
  await Promise.all([one, other, alone].map((page) => plays(page)));
  // As far off as beginning may leave one, and not by chance where the other is.
  for (const page of [other, alone]) await page.evaluate(() => (document.querySelector('video').currentTime -= 0.6 - (nightcast.stats().late ?? 0)));
  const begun = performance.now();
  const rates = new Set();
  let [seen, near] = [null, 0];
  do {
    await pass(0.5);
    const [a, b, stats] = await Promise.all([behind(one), behind(other), other.evaluate(() => nightcast.stats())]);
    rates.add(Math.round(stats.rate * 100) / 100);
    seen = { apart: Math.round(Math.abs(a - b)), a: Math.round(a), b: Math.round(b), late: stats.late, seconds: Math.round((performance.now() - begun) / 1000) };
    near = seen.apart <= NEAR_MS ? near + 1 : 0;
    // For good, and not while passing by.
  } while (near < STAYS && performance.now() - begun < WITHIN_MS);
  t.diagnostic(JSON.stringify({ ...seen, rates: [...rates] }));
  assert.ok(near > 0, JSON.stringify(seen));
  assert.ok([...rates].some((rate) => rate > 1), `it was made faster: ${[...rates]}`);
  assert.ok([...rates].every((rate) => Math.abs(rate - 1) <= 0.031), `nobody hears it: ${[...rates]}`);
  const { late, rate } = await stats(alone);
  assert.deepEqual([late, rate], [null, 1], 'who would rather not is let alone');
}

export async function cutOff(t, { station, browser }) {
  const page = await open(t, browser, `${station.url}/watch/deep-1`, SMALL);
  await plays(page);
  await page.context().setOffline(true);
  await pass(AWAY_S);
  await until(page, () => document.getElementById('status').textContent.startsWith('Connection lost'));
  await page.context().setOffline(false);
  const tookMs = await back(page);
  const { stalls } = await stats(page);
  t.diagnostic(JSON.stringify({ tookMs, stalls }));
  await tell("A viewer's line away for 30 s", stalls.longestMs, `plays on ${(tookMs / 1000).toFixed(1)} s after it is back`);
}

export async function sleeper(t, { station }) {
  const { browser, stop, go, close } = await startSleeper();
  // One that is stopped cannot be closed.
  t.after(async () => {
    await go();
    await close();
  });
  const page = await open(t, browser, `${station.url}/watch/deep-2`, SMALL);
  await plays(page);
  await stop();
  await pass(ASLEEP_S);
  await go();
  const tookMs = await back(page);
  t.diagnostic(JSON.stringify({ tookMs, stalls: (await stats(page)).stalls }));
  await until(page, () => nightcast.stats().seen.now && document.getElementById('title').textContent === nightcast.stats().seen.now.title);
}

/** Waits until the picture moves where the others are, and returns how long that took in milliseconds. */
async function back(page) {
  const begun = performance.now();
  await until(page, (max) => nightcast.stats().state === 'playing' && (Date.now() - nightcast.stats().playingDate) / 1000 < max, BEHIND_MAX_S, BACK_MS);
  const tookMs = performance.now() - begun;
  const { currentTime } = await stats(page);
  await until(page, (time) => nightcast.stats().state === 'playing' && nightcast.stats().currentTime > time + 1, currentTime);
  assert.equal(await page.locator('#status').textContent(), '');
  return tookMs;
}
