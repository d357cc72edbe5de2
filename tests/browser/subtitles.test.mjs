// Goal: a browser shows each line when its picture is there, over seams and after the ffmpeg on air was killed. Method: films
// with a flash and a line a second; the very hls.js that the pages bring plays them in a bare page of a real Chromium, which
// notes when each flash was shown and which lines it holds, both on the player's own time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open, plays, startBrowser, until } from './support/browser.mjs';
import { realStation } from './support/station.mjs';

const PLAYER = fileURLToPath(new URL('../../web/vendor/hls.min.js', import.meta.url));

/** How far a line may be from its flash, in seconds: a frame and a little. */
const STEP_MAX = 0.05;

/** How many flashes are to be seen before and after the kill. */
const FLASHES = 9;

let station;
let browser;

before(async () => {
  const channels = [{ id: 'flashes', name: 'Flashes', more: 'subtitle-languages = ["en", "fr"]\non-demand = true\n' }];
  [station, browser] = await Promise.all([realStation({ channels }), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await station?.close();
});

/** Plays a channel with its English lines in a page and notes every flash that is shown. */
function play(address) {
  const video = Object.assign(document.createElement('video'), { muted: true, width: 320 });
  document.body.replaceChildren(video);
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  const hls = new globalThis.Hls({ liveSyncDurationCount: 2 });
  const seen = { flashes: [], errors: [], white: false, last: 0 };
  globalThis.seen = seen;
  globalThis.hls = hls;
  const look = (_, { mediaTime }) => {
    brush.drawImage(video, 0, 0, 1, 1);
    const white = brush.getImageData(0, 0, 1, 1).data[0] > 128;
    if (white && !seen.white) seen.flashes.push({ before: seen.last, at: mediaTime, lines: active(video) });
    Object.assign(seen, { white, last: mediaTime });
    video.requestVideoFrameCallback(look);
  };
  // What the playlist tells of programmes is a track, too.
  const lines = ({ textTracks }) => [...textTracks].find(({ kind, mode }) => kind === 'subtitles' && mode !== 'disabled');
  const active = (video) => [...(lines(video)?.activeCues ?? [])].map(({ text }) => text);
  hls.on('hlsError', (_, { details, fatal }) => fatal && seen.errors.push(details));
  hls.on('hlsManifestParsed', () => video.play());
  video.requestVideoFrameCallback(look);
  hls.loadSource(address);
  hls.attachMedia(video);
}

test('each line is shown with its flash, over seams and after a killed ffmpeg', async () => {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${station.url}/api/channels`);
  await page.addScriptTag({ path: PLAYER });
  await page.evaluate(play, `${station.url}/channels/flashes/index.m3u8`);
  const shown = (count) => page.waitForFunction((count) => globalThis.seen.flashes.length >= count, count, { timeout: 60_000, polling: 100 });
  await shown(1);
  await page.evaluate(() => { globalThis.hls.subtitleTrack = 0; });
  await shown(FLASHES);
  process.kill(await station.onAirPid('flashes'), 'SIGKILL');
  await shown(2 * FLASHES);
  const told = await page.evaluate(() => {
    const { textTracks } = document.querySelector('video');
    const track = [...textTracks].find(({ kind, mode }) => kind === 'subtitles' && mode !== 'disabled');
    const lines = [...track.cues].map(({ startTime, endTime, text }) => ({ startTime, endTime, text }));
    const names = globalThis.hls.subtitleTracks.map(({ name, lang }) => `${name} ${lang}`);
    const seams = globalThis.hls.levels[0].details.endCC - globalThis.hls.levels[0].details.startCC;
    return { ...globalThis.seen, lines, names, seams };
  });
  await context.close();
  assert.deepEqual(told.errors, []);
  assert.deepEqual(told.names, ['English en', 'Français fr']);
  const oldest = told.lines[0].startTime;
  const flashes = told.flashes.filter(({ at }) => at > oldest + 1);
  assert.ok(flashes.length >= FLASHES, JSON.stringify(told));
  // A busy machine leaves out frames: the flash began after the last dark one that was shown.
  for (const { before, at } of flashes) {
    const near = told.lines.filter(({ startTime }) => startTime >= Math.min(before + STEP_MAX, at) - STEP_MAX && startTime <= at + STEP_MAX);
    assert.equal(near.length, 1, `the flash at ${at} has ${JSON.stringify(near)}: ${JSON.stringify(told.lines)}`);
  }
  const exact = flashes.filter(({ before, at }) => at - before <= STEP_MAX);
  assert.ok(exact.length >= FLASHES / 2, `${exact.length} flashes were seen to the frame`);
  const late = told.flashes.slice(3).filter(({ lines }) => lines.length > 1);
  assert.deepEqual(late, [], 'two lines at once');
});

// Goal: a film is found in the library, played with its lines, gone through by keys, left and taken up where it was, and
// followed by the next. Method: the pages of the station that the flashes are on, as a viewer uses them.
test('a film is watched when one likes, and the next after it', async (t) => {
  await station.until('all films are ready', async () => (await station.api('/api/channels/flashes/library')).ready === 2);
  const page = await open(t, browser, `${station.url}/watch/flashes`, { viewport: { width: 1366, height: 768 }, reducedMotion: 'reduce' });
  await plays(page);
  await until(page, () => document.querySelector('#tonight a.films'));
  assert.match(await page.locator('#tonight .now a.demand').getAttribute('href'), /^\/watch\/flashes\/[0-9a-f]+$/);
  await page.keyboard.press('i');
  await page.locator('#tonight a.films').click();
  await until(page, () => document.querySelectorAll('a.one').length === 2);
  await page.getByRole('searchbox').fill('dash');
  await until(page, () => document.querySelectorAll('a.one').length === 1);
  assert.match(page.url(), /\?q=dash$/);
  await page.locator('a.one').click();
  await plays(page);
  assert.match(await page.title(), /^Dashes · Flashes/);
  await page.keyboard.press('s');
  await page.getByRole('menuitemradio', { name: 'English' }).click();
  await until(page, () => {
    const track = [...document.querySelector('video').textTracks].find(({ kind, mode }) => kind === 'subtitles' && mode !== 'disabled');
    return [...(track?.cues ?? [])].filter(({ text }) => /^flash \d of dashes/.test(text)).length === 9;
  });
  const place = () => page.evaluate(() => document.querySelector('video').currentTime);
  await page.keyboard.press('k');
  await until(page, () => document.querySelector('video').paused);
  await page.keyboard.press('5');
  await until(page, () => Math.abs(document.querySelector('video').currentTime - document.body.dataset.seconds / 2) < 0.1 && !document.querySelector('video').seeking);
  assert.match(await page.locator('#elapsed').textContent(), /^0:0[45]$/);
  await page.keyboard.press('ArrowLeft');
  await until(page, () => document.querySelector('video').currentTime < 0.5);
  await page.keyboard.press('>');
  assert.equal(await page.evaluate(() => document.querySelector('video').playbackRate), 1.25);
  await page.locator('#scrub').focus();
  await page.keyboard.press('PageUp');
  await until(page, () => document.querySelector('video').currentTime > 7.5);
  assert.ok((await place()) < (await page.evaluate(() => document.body.dataset.seconds - 0.5)), 'its end is seen');
  await page.keyboard.press('k');
  await until(page, () => document.querySelector('#ended:not([hidden]) a.next b')?.textContent === 'Dots');
  assert.match(await page.locator('#ended a.now').textContent(), /On now, on Flashes/);
  await page.locator('#ended a.next').click();
  await plays(page);
  assert.match(await page.title(), /^Dots · Flashes/);
  await page.goto(`${page.url()}?t=5`);
  await plays(page);
  assert.ok((await place()) >= 5, 'a link may name a moment');
});
