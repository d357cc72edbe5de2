// Goal: whatever breaks, the evening goes on by itself. Method: a real Chromium on a real station; the faults are real where
// they can be, and staged on the wire where a station would never do it.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { STALL_MAX_MS, open as openPage, pass, plays, startBrowser, stats, until } from './support/browser.mjs';
import { tell } from './support/faults.mjs';
import { realStation } from './support/station.mjs';

const shots = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../target/screenshots', import.meta.url));
let station;
let browser;

before(async () => {
  await mkdir(shots, { recursive: true });
  station = await realStation();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await station?.close();
});

const CHANNEL = 'night-lights';
const open = (t) => openPage(t, browser, `${station.url}/watch/${CHANNEL}`);

/** Two target durations: a station that is back is found again by then. */
const FOUND_MS = 12_000;

/** Starts the station again, and returns after how many milliseconds the picture moves. */
async function comesBack(page) {
  await station.start();
  const back = performance.now();
  await playsOn(page, 0.5);
  const tookMs = performance.now() - back;
  assert.ok(tookMs <= FOUND_MS, `${tookMs} ms`);
  return tookMs;
}

/** Waits until the picture has played on for so many seconds from here. */
async function playsOn(page, seconds) {
  const { currentTime } = await stats(page);
  await until(page, ([time, more]) => nightcast.stats().state === 'playing' && nightcast.stats().currentTime > time + more, [currentTime, seconds], 30_000);
}

test('an on-air ffmpeg that is killed is not noticed by who watches', async (t) => {
  const page = await open(t);
  await plays(page);
  await playsOn(page, 2);
  const pid = await station.onAirPid(CHANNEL);
  process.kill(pid, 'SIGKILL');
  await station.until('another run', async () => (await station.onAirPid(CHANNEL).catch(() => pid)) !== pid);
  // A viewer is some seven seconds behind; by then the seam has passed before their eyes.
  await playsOn(page, 14);
  const seen = await stats(page);
  t.diagnostic(JSON.stringify({ stalls: seen.stalls, errors: seen.errorList }));
  assert.ok(seen.stalls.longestMs <= STALL_MAX_MS, JSON.stringify(seen.stalls));
  assert.deepEqual([seen.fatal, seen.rebuilds, seen.nudges], [0, 0, 0], JSON.stringify(seen.errorList));
  assert.equal((await station.api(`/api/channels/${CHANNEL}`)).restarts, 1);
  await tell('On-air ffmpeg killed, watched in the browser', seen.stalls.longestMs, 'one discontinuity');
});

test('a station that is killed and gone for ten seconds is found again, without a hand', async (t) => {
  const page = await open(t);
  await plays(page);
  await station.stop('SIGKILL');
  await until(page, () => document.getElementById('status').textContent.startsWith('Connection lost'));
  await pass(0.6);
  await page.screenshot({ path: join(shots, 'watch-lost.png') });
  await pass(10);
  const tookMs = await comesBack(page);
  const { stalls } = await stats(page);
  await tell('Station killed, away for 10 s, watched in the browser', stalls.longestMs, `plays on ${(tookMs / 1000).toFixed(1)} s after it is back`);
  await playsOn(page, 6);
  assert.equal(await page.locator('#status').textContent(), '');
  await until(page, () => nightcast.stats().seen.now && document.getElementById('title').textContent === nightcast.stats().seen.now.title);
});

test('a station that is stopped and started again is found again, too', async (t) => {
  const page = await open(t);
  await plays(page);
  await station.stop();
  await comesBack(page);
  await playsOn(page, 6);
  assert.equal(await page.locator('#status').textContent(), '');
  const { seen, playingDate } = await stats(page);
  assert.ok(seen.now.start <= playingDate + 500 && playingDate < seen.now.end + 500, 'and the page knows what is on');
});

test('a channel that is starting is waited for, and said to be', async (t) => {
  const page = await open(t);
  await page.route('**/index.m3u8', (route) => route.fulfill({ status: 503, body: 'starting' }));
  await page.reload();
  await until(page, () => document.getElementById('status').textContent.startsWith('This channel is warming up'));
  await page.unroute('**/index.m3u8');
  await plays(page, 20_000);
});

test('segments that are not what they say do not end the evening', async (t) => {
  const page = await open(t);
  await plays(page);
  await page.route('**/segments/*', (route) => route.fulfill({ status: 200, contentType: 'video/mp2t', body: Buffer.alloc(100_000, 0x47) }));
  await until(page, () => nightcast.stats().errors > 0);
  await pass(5);
  await page.unroute('**/segments/*');
  const { framesTotal } = await stats(page);
  await until(page, (frames) => nightcast.stats().state === 'playing' && Math.abs(nightcast.stats().framesTotal - frames) > 100, framesTotal);
});
