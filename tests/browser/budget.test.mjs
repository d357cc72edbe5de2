// Goal: the pages are light, quiet, and good company: they weigh little, ask for nothing but what they show, complain of
// nothing, obey the keyboard, open a programme by its address, remind of it, and wait for a station that is away. Method: a
// real station in a real Chromium; large stations are made of its answers.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open as openPage, plays, startBrowser, until } from './support/browser.mjs';
import { makeStation } from './support/made.mjs';
import { renewable } from './support/newer.mjs';
import { realStation } from './support/station.mjs';
import { weigh } from './support/weight.mjs';

/** The most a page may weigh on its way, compressed, in bytes. */
const WEIGHT_MAX = 80_000;
const shots = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../target/screenshots', import.meta.url));
let station;
let browser;

before(async () => {
  await mkdir(shots, { recursive: true });
  station = await realStation({ channels: [{ id: 'deep-green', name: 'Deep Green', more: 'on-demand = true\n' }, { id: 'attic', name: 'The Attic' }] });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await station?.close();
});

const open = (t, path, options) => openPage(t, browser, `${station.url}${path}`, options);

const PAGES = [
  ['/', (page) => until(page, () => document.querySelector('#window.on') && document.querySelector('.screen img')?.naturalWidth > 0)],
  ['/guide', (page) => until(page, () => document.querySelector('.cell.on'))],
  ['/watch/deep-green', (page) => plays(page)],
  ['/library/deep-green', (page) => until(page, () => document.querySelectorAll('.one').length === 2)],
  // Whichever film is the first of the library.
  ['/watch/deep-green/{item}', (page) => plays(page)],
  ['/offline', () => {}],
];
/** What pages may ask for beside themselves: our own files, what is on, and the interface. */
const EXPECTED = /^\/($|guide$|offline$|healthz$|watch\/|library\/|vod\/|assets\/|vendor\/|channels\/|api\/(channels|guide|time|clock)|manifest\.webmanifest$|brand\.css$|logos?\/)/;

for (const [path, ready] of PAGES) {
  test(`${path} weighs under 80 kB without the player, asks for nothing unexpected, and complains of nothing`, async (t) => {
    const [{ id }] = (await station.api('/api/channels/deep-green/library')).items;
    const { bytes, requests, complaints, counted } = await weigh(browser, `${station.url}${path.replace('{item}', id)}`, ready);
    t.diagnostic(`${(bytes / 1000).toFixed(1)} kB in ${counted.length} requests`);
    assert.ok(bytes > 2000 && bytes < WEIGHT_MAX, `${bytes}: ${JSON.stringify(counted)}`);
    const elsewhere = requests.filter((url) => !url.startsWith('blob:') && !(url.startsWith(station.url) && EXPECTED.test(new URL(url).pathname)));
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(complaints, []);
  });
}

test('the wall is there before any script, with pictures and what is on', async (t) => {
  const page = await open(t, '/', { javaScriptEnabled: false });
  const rows = await page.locator('.channel').allInnerTexts();
  assert.equal(rows.length, 2);
  assert.match(rows[0], /1\s*Deep Green\s+(A Walk in the Moss Garden|Tidewater)/);
  assert.match(rows[1], /2\s*The Attic\s+Off air for now/);
  const still = await page.request.get(`${station.url}${await page.locator('.channel img').getAttribute('src')}`);
  assert.deepEqual([still.status(), still.headers()['content-type']], [200, 'image/jpeg']);
});

test('walls of 1, 2, 10 and 200 channels fit every room, and the keyboard goes through them', async (t) => {
  for (const [count, width, height] of [[1, 1366, 768], [2, 320, 568], [10, 390, 844], [10, 3840, 2160], [200, 1366, 768]]) {
    const page = await open(t, '/offline', { viewport: { width, height }, reducedMotion: 'reduce' });
    await makeStation(page, count, 'deep-green');
    await page.goto(`${station.url}/`);
    await until(page, (many) => document.querySelectorAll('.channel').length === many, count);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${count} channels at ${width} px are ${over} px too wide`);
    await page.screenshot({ path: join(shots, `wall-${count}-${width}.png`) });
    if (count !== 200) continue;
    const focused = () => page.evaluate(() => [...document.querySelectorAll('.channel a')].indexOf(document.activeElement));
    for (const [key, moves] of [['ArrowRight', (at) => at === 0], ['ArrowRight', (at) => at === 1], ['ArrowDown', (at) => at > 2], ['ArrowUp', (at) => at === 1], ['End', (at) => at === 199], ['Home', (at) => at === 0]]) {
      await page.keyboard.press(key);
      assert.ok(moves(await focused()), `${key}: ${await focused()}`);
    }
    for (const digit of '137') await page.keyboard.press(digit);
    await page.waitForURL('**/watch/c136');
  }
});

/** A time zone in which it is ten in the morning: the evening is far from what is on, whenever the test runs. */
function morning() {
  const ahead = ((46 - new Date().getUTCHours()) % 24) - 12;
  // These zones are named by how far UTC is ahead of them.
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

test('a guide of 200 channels draws what is seen and no more, wherever one goes', async (t) => {
  const page = await open(t, '/offline', { viewport: { width: 1366, height: 768 }, reducedMotion: 'reduce', timezoneId: morning() });
  await makeStation(page, 200, 'deep-green');
  await page.goto(`${station.url}/guide`);
  const drawn = () => page.evaluate(() => [document.querySelectorAll('.row').length, document.querySelectorAll('.cell').length]);
  await until(page, () => document.querySelector('.cell.on'));
  await page.screenshot({ path: join(shots, 'guide-200.png') });
  await page.evaluate(() => document.querySelector('.grid').scrollTo(0, 1e6));
  await until(page, () => [...document.querySelectorAll('.row .number')].some(({ textContent }) => textContent === '200'));
  await page.getByRole('button', { name: /evening/ }).click();
  await until(page, () => !document.querySelector('.cell.on'));
  await until(page, () => document.querySelectorAll('.cell').length > 10);
  const [rows, cells] = await drawn();
  assert.ok(rows < 30 && cells < 600, `${rows} rows, ${cells} programmes`);
  await page.keyboard.press('n');
  await until(page, () => document.querySelector('a.cell.on'));
  await page.locator('a.cell.on').first().focus();
  const [before, beforeRow] = await page.evaluate(() => [document.activeElement.dataset.key, document.activeElement.dataset.row]);
  await page.keyboard.press('ArrowRight');
  const [right, rightRow] = await page.evaluate(() => [document.activeElement.dataset.key, document.activeElement.dataset.row]);
  assert.ok(right !== before && rightRow === beforeRow, `${before} ${right}`);
  await page.keyboard.press('ArrowUp');
  assert.notEqual(await page.evaluate(() => document.activeElement.dataset.row), beforeRow);
});

test('no hour of the guide is written beneath the time that it is', async (t) => {
  const page = await open(t, '/offline', { viewport: { width: 1366, height: 768 }, reducedMotion: 'reduce', timezoneId: morning() });
  // It has just struck the hour.
  await makeStation(page, 10, 'deep-green', Math.floor(Date.now() / 3_600_000) * 3_600_000);
  await page.goto(`${station.url}/guide`);
  await until(page, () => document.querySelector('.cell.on'));
  // Where motion is reduced, what changes is still as it was for the rest of the frame.
  await until(page, () => {
    const pill = document.querySelector('.tag-now i').getBoundingClientRect();
    const text = (mark) => {
      const range = document.createRange();
      range.selectNodeContents(mark);
      return range.getBoundingClientRect();
    };
    const written = [...document.querySelectorAll('.times > span:not(.tag-now)')].map(text).filter(({ width }) => width > 0);
    return written.length > 3 && written.every(({ left, right }) => right < pill.left || left > pill.right);
  });
});

test('a programme has an address of its own, is told whole, and one is reminded of it in any page', async (t) => {
  const page = await open(t, '/offline', { viewport: { width: 1366, height: 768 }, reducedMotion: 'reduce' });
  const made = await makeStation(page, 10, 'deep-green');
  const next = made.channels[3].programmes.find(({ stage }) => stage === 'planned');
  await page.goto(`${station.url}/guide#c3-${next.serial}`);
  await until(page, (title) => document.querySelector('#details[open] h2')?.textContent === title, next.title);
  await page.screenshot({ path: join(shots, 'guide-details.png') });
  assert.equal(await page.getByRole('link', { name: 'Watch now' }).isVisible(), false, 'it is not on yet');
  await until(page, (key) => document.querySelector(`.cell[data-key="${key}"]`)?.getBoundingClientRect().left < innerWidth, `c3-${next.serial}`);
  await page.getByRole('button', { name: 'Remind me' }).click();
  await until(page, () => document.querySelector('.remind').getAttribute('aria-pressed') === 'true');
  assert.match(await page.locator('.honest').textContent(), /any page of this station/);
  await page.keyboard.press('Escape');
  // And the address is the guide's again.
  await until(page, () => location.hash === '');
  // As if it began in half a minute.
  await page.evaluate(() => {
    const [one] = JSON.parse(localStorage.getItem('nightcast.reminders'));
    localStorage.setItem('nightcast.reminders', JSON.stringify([{ ...one, start: Date.now() + 30_000, end: Date.now() + 600_000, channel: 'deep-green' }]));
  });
  await page.goto(`${station.url}/watch/deep-green`);
  await until(page, (title) => document.querySelector('.reminder a')?.textContent === title, next.title);
  assert.deepEqual(await page.evaluate(() => localStorage.getItem('nightcast.reminders')), '[]', 'and not again');
});

test('in the hand the guide is a list of one channel', async (t) => {
  const page = await open(t, '/offline', { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' });
  const made = await makeStation(page, 10, 'deep-green');
  await page.goto(`${station.url}/guide`);
  await until(page, () => document.querySelector('.day-list .on'));
  await page.getByLabel('Channel').selectOption('c5');
  const on = made.channels[5].programmes.find(({ stage }) => stage === 'on_air');
  await until(page, (title) => document.querySelector('.day-list .on b')?.textContent === title, on.title);
  await page.screenshot({ path: join(shots, 'guide-phone.png') });
  await page.locator('.day-list a').first().click();
  await until(page, () => document.querySelector('#details[open]'));
  assert.ok(await page.getByRole('link', { name: 'Watch now' }).isVisible());
});

test('a newer station takes the place of the older one in the browser, and interrupts no picture', async (t) => {
  const updated = await renewable(station);
  t.after(() => updated.close());
  const wall = await openPage(t, browser, `${updated.url}/`, { serviceWorkers: 'allow' });
  await until(wall, () => navigator.serviceWorker.controller);
  const picture = await wall.context().newPage();
  await picture.goto(`${updated.url}/watch/deep-green`);
  await plays(picture);
  await until(picture, () => navigator.serviceWorker.controller);
  for (const page of [wall, picture]) await page.evaluate(() => (globalThis.same = true));
  updated.renew();
  await picture.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await until(picture, async () => (await caches.keys()).join() === 'nightcast-newer');
  assert.equal(await wall.evaluate(() => globalThis.same), true, 'what is looked at stays as it is');
  // A browser without a screen hides no page: it comes into view again as often as it is asked.
  await until(wall, () => {
    if (globalThis.same) document.dispatchEvent(new Event('visibilitychange'));
    return !globalThis.same && document.querySelector('#window.on');
  });
  const { currentTime } = await picture.evaluate(() => nightcast.stats());
  await until(picture, (time) => nightcast.stats().currentTime > time + 2, currentTime);
  assert.equal(await picture.evaluate(() => globalThis.same), true, 'who watches goes on watching');
});

test('an installed station that is away says so, and comes back by itself', async (t) => {
  const page = await open(t, '/', { serviceWorkers: 'allow' });
  await until(page, () => navigator.serviceWorker.controller);
  const manifest = await (await page.request.get(`${station.url}/manifest.webmanifest`)).json();
  assert.deepEqual([manifest.name, manifest.display, manifest.icons.length], ['Nightcast', 'standalone', 3]);
  const kept = () => page.evaluate(async () => (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat());
  await until(page, async () => (await caches.keys()).length === 1);
  assert.deepEqual((await kept()).filter((path) => /^\/(api|channels|watch)/.test(path)), [], 'nothing that is on is kept');
  await station.stop();
  await page.goto(`${station.url}/guide`);
  await until(page, () => document.querySelector('h1').textContent === 'The station cannot be reached');
  await until(page, () => document.fonts.check('1rem Figtree'));
  await page.screenshot({ path: join(shots, 'offline.png') });
  await station.start();
  await until(page, () => document.querySelector('.cell.on'), null, 60_000);
  assert.equal(new URL(page.url()).pathname, '/guide', 'where one wanted to go');
});
