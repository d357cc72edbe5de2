// Goal: the pages are for everybody. Method: axe-core judges every page of a real station, in each of its states, in the
// dark, by day, and as narrow as a page may be; it may find nothing.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { plays, startBrowser, until } from './support/browser.mjs';
import { realStation } from './support/station.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const ROOMS = [
  { room: 'in the dark', colorScheme: 'dark', viewport: { width: 1280, height: 720 } },
  { room: 'by day', colorScheme: 'light', viewport: { width: 1280, height: 720 } },
  { room: 'at 320 px', colorScheme: 'dark', viewport: { width: 320, height: 568 } },
];

let station;
let browser;

before(async () => {
  const renditions = '["360p", "240p"]';
  station = await realStation({ channels: [{ id: 'deep-green', name: 'Deep Green', renditions, more: 'on-demand = true\nrewind = "10min"\n' }, { id: 'attic', name: 'The Attic' }] });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await station?.close();
});

/** What there is to be seen, and how one gets there. */
const STATES = [
  { state: 'the wall', path: '/', reach: (page) => until(page, () => document.querySelector('.title')?.textContent && document.querySelector('#clock')?.textContent) },
  { state: 'the guide', path: '/guide', reach: (page) => until(page, () => document.querySelector('.cell.on, .day-list .on')) },
  { state: 'a programme of the guide', reach: async (page) => {
    await page.locator('a.cell.on, .day-list a.on').first().click();
    await until(page, () => document.querySelector('#details[open]'));
  } },
  { state: 'a channel', path: '/watch/deep-green', reach: async (page) => {
    await plays(page);
    await until(page, () => document.getElementById('title').textContent !== '');
  } },
  { state: 'its menu of pictures', reach: async (page) => {
    await until(page, () => !document.getElementById('quality').hidden);
    await page.keyboard.press('q');
    await until(page, () => !document.getElementById('qualities').hidden);
  } },
  { state: 'its list of channels', reach: async (page) => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('c');
    await until(page, () => document.body.classList.contains('listing') && document.querySelectorAll('#channels a').length === 2);
  } },
  { state: 'its films', path: '/library/deep-green', reach: (page) => until(page, () => document.querySelectorAll('.one').length === 2) },
  { state: 'a film', reach: async (page) => {
    await page.locator('a.one').first().click();
    await plays(page);
  } },
  { state: 'its end', reach: async (page) => {
    await page.keyboard.press('9');
    await until(page, () => document.querySelector('#ended:not([hidden]) a'));
  } },
  { state: 'a channel gone back, and its programme', late: true, path: '/watch/deep-green', reach: async (page) => {
    await plays(page);
    await until(page, () => Number(document.getElementById('scrub')?.min) <= -20, null, 40_000);
    await page.locator('#scrub').focus();
    await page.keyboard.press('Home');
    await until(page, () => nightcast.stats().rewound && nightcast.stats().state === 'playing');
    await page.keyboard.press('i');
    await until(page, () => document.querySelector('.again'));
  } },
  { state: 'the slate', path: '/watch/attic', reach: (page) => plays(page) },
  { state: 'a failure', path: '/watch/nothing', reach: () => {} },
  { state: 'the page for being offline', path: '/offline', reach: () => {} },
];

for (const { room, ...options } of ROOMS) {
  test(`axe finds nothing wrong with any page ${room}`, async (t) => {
    // Nothing fades while it is judged.
    const context = await browser.newContext({ ...options, reducedMotion: 'reduce', serviceWorkers: 'block' });
    t.after(() => context.close());
    await context.addInitScript({ path: AXE });
    const page = await context.newPage();
    const found = [];
    for (const { state, path, reach, late } of STATES) {
      // In the first room there is nothing yet to go back to.
      if (late && room === ROOMS[0].room) continue;
      if (path) await page.goto(`${station.url}${path}`);
      await reach(page);
      const { violations, passes } = await page.evaluate(() => axe.run({ resultTypes: ['violations', 'passes'] }));
      assert.ok(passes.length > 5, `${state}: ${passes.length} rules had something to look at`);
      for (const { id, nodes } of violations) found.push(`${state}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary}`).join('; ')}`);
    }
    assert.deepEqual(found, []);
  });
}
