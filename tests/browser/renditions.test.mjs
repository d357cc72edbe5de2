// Goal: who watches on a line that gets worse and better again sees a coarser picture and then a finer one, and no hole; who
// would rather choose does so, and is not asked twice. Method: a channel in two sizes, a real Chromium, a line that is made
// slow and fast again while it plays, and the menu by mouse, key and finger. SCREENSHOTS as in watch.test.mjs.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { STALL_MAX_MS, open as openPage, plays, startBrowser, stats, until } from './support/browser.mjs';
import { realStation } from './support/station.mjs';

const shots = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../target/screenshots', import.meta.url));

/** With the sound, the fine picture takes some 1.7 Mbit/s, the coarse one less than half of it. */
const RENDITIONS = '[{ name = "fine", size = "640x360", max-kbps = 1500 }, { name = "coarse", size = "320x180", max-kbps = 500 }]';
/** A line that carries the coarse picture and not the fine one, in bytes a second. */
const SLOW = 170_000;
/** How long a change of the picture may take: what is in store is played first. */
const CHANGE_MS = 40_000;
const CHANNELS = [{ id: 'ladder', name: 'Ladder', renditions: RENDITIONS }, { id: 'attic', name: 'The Attic' },
  { id: 'twin', name: 'Twin', folder: 'ladder', renditions: RENDITIONS }];
const CHANGING = { id: 'changing', name: 'Changing', renditions: RENDITIONS };

let station;
let browser;

before(async () => {
  await mkdir(shots, { recursive: true });
  [station, browser] = await Promise.all([realStation({ channels: [...CHANNELS, CHANGING] }), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await station?.close();
});

const open = (t, channel, options) => openPage(t, browser, `${station.url}/watch/${channel}`, options);

/** Waits until the picture that is shown has so many lines. */
function shows(page, lines) {
  return until(page, (height) => document.querySelector('video').videoHeight === height, lines, CHANGE_MS);
}

/** Waits until the button tells these lines, and returns the menu's words with what is chosen marked. */
async function menu(page, lines) {
  await until(page, (text) => document.querySelector('#quality').textContent.trim() === text, lines);
  return page.$$eval('#qualities button', (all) =>
    all.map((one) => (one.getAttribute('aria-checked') === 'true' ? '> ' : '') + one.textContent.replace('\u00a0', ' ')));
}

function sound(seen) {
  assert.ok(seen.stalls.longestMs <= STALL_MAX_MS, JSON.stringify(seen.stalls));
  assert.deepEqual([seen.fatal, seen.rebuilds, seen.nudges], [0, 0, 0], JSON.stringify(seen.errorList));
}

// Each waits for players most of the time.
describe('a channel in two sizes', { concurrency: true }, () => {
  test('a line that gets slow and fast again changes the size of the picture and nothing else, on the next channel, too', async (t) => {
    const page = await open(t, 'ladder');
    await plays(page);
    await shows(page, 360);
    const line = await page.context().newCDPSession(page);
    const carries = (downloadThroughput) =>
      line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput, uploadThroughput: -1 });
    await carries(SLOW);
    await shows(page, 180);
    assert.deepEqual(await menu(page, '180p'), ['> Auto (180p)', '360p', '180p']);
    sound(await stats(page));
    await page.keyboard.press('3');
    await until(page, () => nightcast.stats().channel === 'twin' && nightcast.stats().state === 'playing');
    assert.equal(await page.$eval('video', (video) => video.videoHeight), 180, 'it begins with what the line carries');
    await carries(-1);
    await shows(page, 360);
    const seen = await stats(page);
    t.diagnostic(JSON.stringify({ stalls: seen.stalls, errors: seen.errorList }));
    sound(seen);
  });

  test('the viewer chooses a picture, by mouse and by key, and it is remembered', async (t) => {
    const page = await open(t, 'ladder');
    await plays(page);
    await shows(page, 360);
    assert.deepEqual(await menu(page, '360p'), ['> Auto (360p)', '360p', '180p']);
    await page.locator('#quality').click();
    await page.screenshot({ path: join(shots, 'quality.png') });
    await page.getByRole('menuitemradio', { name: '180p', exact: true }).click();
    assert.equal(await page.locator('#qualities').isVisible(), false);
    await shows(page, 180);
    assert.deepEqual(await menu(page, '180p'), ['Auto', '360p', '> 180p']);
    sound(await stats(page));
    await page.reload();
    await plays(page);
    await shows(page, 180);
    assert.deepEqual(await menu(page, '180p'), ['Auto', '360p', '> 180p'], 'also after a reload');
    // A channel with one picture has nothing to choose, and the choice holds where there is.
    await page.keyboard.press('ArrowRight');
    await until(page, () => nightcast.stats().channel === 'attic' && nightcast.stats().state === 'playing');
    assert.equal(await page.locator('#quality').isVisible(), false);
    await page.keyboard.press('ArrowLeft');
    await shows(page, 180);
    for (const key of ['q', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
    await shows(page, 360);
    assert.deepEqual(await menu(page, '360p'), ['Auto', '> 360p', '180p']);
    for (const key of ['q', 'Home', 'Enter', 'q', 'Escape']) await page.keyboard.press(key);
    assert.equal(await page.locator('#qualities').isVisible(), false);
    assert.deepEqual(await menu(page, '360p'), ['> Auto (360p)', '360p', '180p']);
    sound(await stats(page));
  });

  test('a finger chooses, and the choice outlives a player that had to begin anew', async (t) => {
    const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
    const page = await open(t, 'changing', phone);
    await plays(page);
    await page.locator('#quality').tap();
    await page.screenshot({ path: join(shots, 'quality-phone.png') });
    const edge = await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector('#full').getBoundingClientRect().right]);
    assert.ok(edge.every((x) => x <= 360), `everything is on the screen: ${edge}`);
    await page.getByRole('menuitemradio', { name: '180p', exact: true }).tap();
    await shows(page, 180);
    // The channel is given one picture, and then two again: what was played is not there any more.
    const again = (rebuilds) => until(page, (n) => nightcast.stats().rebuilds >= n && nightcast.stats().state === 'playing', rebuilds, CHANGE_MS);
    await station.configure([...CHANNELS, { id: 'changing', name: 'Changing' }]);
    await again(1);
    await shows(page, 360);
    assert.equal(await page.locator('#quality').isVisible(), false);
    await station.configure([...CHANNELS, CHANGING]);
    await again(2);
    await shows(page, 180);
    assert.deepEqual(await menu(page, '180p'), ['Auto', '360p', '> 180p']);
    assert.equal((await stats(page)).nudges, 0);
  });
});
