// Goal: who watches on a line that gets worse and better again sees a coarser picture and then a finer one, and no hole.
// Method: a channel in two sizes, a real Chromium, and a line that is made slow and fast again while it plays.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { STALL_MAX_MS, open as openPage, plays, startBrowser, stats, until } from './support/browser.mjs';
import { realStation } from './support/station.mjs';

/** With the sound, the fine picture takes some 1.7 Mbit/s, the coarse one less than half of it. */
const RENDITIONS = '[{ name = "fine", size = "640x360", max-kbps = 1500 }, { name = "coarse", size = "320x180", max-kbps = 500 }]';
/** A line that carries the coarse picture and not the fine one, in bytes a second. */
const SLOW = 170_000;
/** How long a change of the picture may take: what is in store is played first. */
const CHANGE_MS = 40_000;

let station;
let browser;

before(async () => {
  station = await realStation({ channels: [{ id: 'ladder', name: 'Ladder', renditions: RENDITIONS }] });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await station?.close();
});

/** Waits until the picture that is shown has so many lines. */
function shows(page, lines) {
  return until(page, (height) => document.querySelector('video').videoHeight === height, lines, CHANGE_MS);
}

test('a line that gets slow and fast again changes the size of the picture and nothing else', async (t) => {
  const page = await openPage(t, browser, `${station.url}/watch/ladder`);
  await plays(page);
  await shows(page, 360);
  const line = await page.context().newCDPSession(page);
  const carries = (downloadThroughput) =>
    line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput, uploadThroughput: -1 });
  await carries(SLOW);
  await shows(page, 180);
  await carries(-1);
  await shows(page, 360);
  const seen = await stats(page);
  t.diagnostic(JSON.stringify({ stalls: seen.stalls, errors: seen.errorList }));
  assert.ok(seen.stalls.longestMs <= STALL_MAX_MS, JSON.stringify(seen.stalls));
  assert.deepEqual([seen.fatal, seen.rebuilds, seen.nudges], [0, 0, 0], JSON.stringify(seen.errorList));
});
