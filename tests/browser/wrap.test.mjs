// Goal: who watches in a browser does not see the timestamps of MPEG-TS end after 26.5 hours. Method: a run that begins
// shortly before; a real Chromium is watching when they begin again, and plays through.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { STALL_MAX_MS, open as openPage, plays, startBrowser, stats, until } from './support/browser.mjs';
import { tell } from './support/faults.mjs';
import { realStation } from './support/station.mjs';

/** 33 bits of 90 kHz last 95,443.7 s. ffmpeg adds 1.4 s of its own, and the first playlist holds six seconds of a film that
 *  is new: the end comes some twelve seconds after the channel. */
const BEFORE_THE_WRAP_S = 95_424;
/** How much of the picture is looked at beyond it. */
const BEYOND_MS = 8000;

let station;
let browser;

before(async () => {
  station = await realStation({ channels: [{ id: 'crossing', name: 'Crossing' }], args: ['--first-timestamp', String(BEFORE_THE_WRAP_S)] });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await station?.close();
});

/** Returns the first timestamp of the picture in a segment, in seconds (ISO/IEC 13818-1 §2.4.3.7). */
function firstTimestamp(bytes) {
  const at = bytes.indexOf(Buffer.from([0, 0, 1, 0xe0])) + 9;
  const [a, b, c, d, e] = bytes.subarray(at, at + 5);
  return ((((a >> 1) & 7) * 2 ** 30) + (b << 22) + ((c >> 1) << 15) + (d << 7) + (e >> 1)) / 90_000;
}

/** Takes note of what is new in the playlist, and returns the first segment whose timestamps are smaller than those before. */
async function wrapIn(known) {
  const base = `${station.url}/channels/crossing/`;
  const text = await (await fetch(`${base}index.m3u8`)).text();
  for (const [, tags, date, uri] of text.matchAll(/^((?:#EXT-X-(?!PROGRAM).*\n)*)#EXT-X-PROGRAM-DATE-TIME:(.+)\n#EXTINF:.+\n(.+)$/gm)) {
    if (known.has(uri)) continue;
    const bytes = Buffer.from(await (await fetch(base + uri)).arrayBuffer());
    known.set(uri, { date: Date.parse(date), tagged: /^#EXT-X-DISCONTINUITY$/m.test(tags), stamp: firstTimestamp(bytes) });
  }
  const all = [...known.values()];
  return all.find((one, i) => i > 0 && one.stamp < all[i - 1].stamp);
}

test('the end of the timestamps after 26.5 hours is not noticed by who watches', async (t) => {
  const known = new Map();
  const page = await openPage(t, browser, `${station.url}/watch/crossing`);
  await plays(page);
  const { date: wrap, tagged } = await station.until('the end of the timestamps', () => wrapIn(known));
  assert.equal(tagged, false, 'nothing tells players of it');
  const { playingDate } = await stats(page);
  assert.ok(playingDate < wrap, `began ${playingDate - wrap} ms too late to see it`);
  await until(page, (date) => nightcast.stats().playingDate > date, wrap + BEYOND_MS, 40_000);
  const seen = await stats(page);
  t.diagnostic(JSON.stringify({ stalls: seen.stalls, errors: seen.errorList }));
  assert.ok(seen.stalls.longestMs <= STALL_MAX_MS, JSON.stringify(seen.stalls));
  assert.deepEqual([seen.fatal, seen.rebuilds, seen.nudges], [0, 0, 0], JSON.stringify(seen.errorList));
  assert.equal((await station.api('/api/channels/crossing')).restarts, 0);
  await tell('Timestamps wrap (26.5 hours of a run), watched in the browser', seen.stalls.longestMs, 'nothing');
});
