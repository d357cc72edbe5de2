// Goal: a viewer's evening. Method: a real Chromium on a real station with films of several kinds and one empty channel.
// SCREENSHOTS names the folder for pictures (default: target/screenshots).
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { STALL_MAX_MS, open as openPage, pass, plays, startBrowser, stats, until } from './support/browser.mjs';
import { brokenCounters, listen, playThrough } from './support/live.mjs';
import { realStation } from './support/station.mjs';

const shots = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../target/screenshots', import.meta.url));
let station;
let browser;

before(async () => {
  await mkdir(shots, { recursive: true });
  station = await realStation();
  browser = await startBrowser({ gesture: true });
});

after(async () => {
  await browser?.close();
  await station?.close();
});

const open = (t, path, options) => openPage(t, browser, `${station.url}${path}`, options);
const watch = (n = 0) => `/watch/${station.channels[n].id}`;

test('the picture moves within five seconds, silent until a gesture, and one press gives sound', async (t) => {
  const page = await open(t, watch());
  await plays(page, 5000);
  const begun = await stats(page);
  assert.ok(begun.muted && begun.startupMs < 5000, JSON.stringify(begun));
  const button = page.getByRole('button', { name: 'Turn the sound on' });
  await button.click();
  await until(page, () => !nightcast.stats().muted && nightcast.stats().audioBytes > 0);
  await button.waitFor({ state: 'hidden' });
  assert.equal((await stats(page)).paused, false, 'and the picture goes on');
});

test('volume and silence are remembered', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  await page.getByRole('button', { name: 'Turn the sound on' }).click();
  for (let i = 0; i < 8; i += 1) await page.keyboard.press('ArrowDown');
  assert.equal((await stats(page)).volume, 0.6);
  await page.reload();
  await plays(page);
  assert.equal((await stats(page)).volume, 0.6);
  await page.keyboard.press('m');
  await until(page, () => !nightcast.stats().muted);
  await page.keyboard.press('m');
  await page.reload();
  await plays(page);
  assert.equal((await stats(page)).muted, true);
  assert.equal(await page.locator('#sound').isVisible(), false, 'silence by wish is not nagged about');
});

test('the keyboard does everything', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  await page.keyboard.press('k');
  await until(page, () => nightcast.stats().paused);
  await page.keyboard.press(' ');
  await until(page, () => !nightcast.stats().paused);
  await page.keyboard.press('f');
  await until(page, () => Boolean(document.fullscreenElement));
  await page.keyboard.press('f');
  await until(page, () => !document.fullscreenElement);
  await page.keyboard.press('c');
  await until(page, () => document.body.classList.contains('listing'));
  await page.keyboard.press('Escape');
  await until(page, () => !document.body.classList.contains('listing'));
  const names = await page.$$eval('button, input, video, [role=progressbar]', (all) =>
    all.filter((e) => !e.hidden && !(e.getAttribute('aria-label') || e.textContent.trim())).map((e) => e.id));
  assert.deepEqual(names, [], 'everything that can be operated has a name');
});

test('after a pause it goes on live', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  await page.keyboard.press('k');
  const { playingDate } = await stats(page);
  await until(page, (date) => Date.now() - date > 14_000, playingDate);
  await page.keyboard.press('k');
  await until(page, (date) => nightcast.stats().state === 'playing' && nightcast.stats().playingDate - date > 3000, playingDate);
});

test('channels change by arrow, digit, list and history, without a new page', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  await page.evaluate(() => (globalThis.samePage = true));
  const tuned = async (n) => {
    await page.waitForURL(`**${watch(n)}`);
    await until(page, (id) => nightcast.stats().channel === id && nightcast.stats().state === 'playing', station.channels[n].id);
    assert.ok((await stats(page)).tuneMs < 5000);
  };
  await page.keyboard.press('ArrowRight');
  await tuned(1);
  await page.keyboard.press('1');
  await tuned(0);
  await page.keyboard.press('ArrowLeft');
  await tuned(station.channels.length - 1);
  await page.keyboard.press('c');
  await page.locator('#channels a').nth(0).click();
  await tuned(0);
  await page.goBack();
  await tuned(station.channels.length - 1);
  assert.ok(await page.evaluate(() => globalThis.samePage));
  assert.equal(await page.$$eval('video', (all) => all.length), 1);
});

test('what a zap fetches is fetched once, however early it comes', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  let fetched = [];
  page.on('request', (request) => /\.(ts|m4s)$/.test(new URL(request.url()).pathname) && fetched.push(request.url()));
  for (let zap = 1; zap <= 8; zap += 1) {
    const { id } = station.channels[zap % station.channels.length];
    fetched = [];
    await page.keyboard.press('ArrowRight');
    await until(page, (id) => nightcast.stats().channel === id && nightcast.stats().state === 'playing', id);
    const its = fetched.filter((url) => url.includes(`/${id}/`));
    assert.ok(its.length > 0);
    assert.deepEqual(its, [...new Set(its)]);
  }
});

test('now and next are told by the date of the picture', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  // What is seen is told at once, what is written a moment later.
  const written = () => ((now) => now && !now.slate && document.getElementById('title').textContent === now.title)(nightcast.stats().seen.now);
  for (const change of ['first', 'after a change']) {
    await until(page, written);
    const { seen, playingDate, title, name, next } = await page.evaluate(() => {
      const [title, next] = ['title', 'next'].map((id) => document.getElementById(id).textContent);
      return { ...nightcast.stats(), title, next, name: document.title };
    });
    assert.ok(seen.now.start <= playingDate + 500 && playingDate < seen.now.end + 500, `${change}: ${JSON.stringify(seen)}`);
    assert.equal(title, seen.now.title);
    assert.ok(name.startsWith(seen.now.title), name);
    assert.ok(next.includes(seen.next.title), next);
    const told = await station.api(`/api/channels/${station.channels[0].id}`);
    // Announced times move by fractions of a second until a programme begins; the page need not ask again for that.
    const same = ({ title, start }) => title === seen.now.title && Math.abs(Date.parse(start) - seen.now.start) < 1000;
    assert.ok(told.aired.some(same), `the interface tells the same: ${JSON.stringify([seen.now, told.aired])}`);
    if (change === 'after a change') {
      // The tag leaves the playlist with the programme's first segment: it is certain to be there just after the change.
      const ranges = await station.dateRanges(station.channels[0].id);
      assert.ok(ranges.some(same), `and so does the playlist, for every other player: ${JSON.stringify([seen.now, ranges])}`);
    }
    if (change === 'first') {
      const later = await atNextTitle(page);
      // What comes next may be another film than was announced; it begins where the last one ended. The server is seconds ahead.
      assert.ok(Math.abs(later.seen.now.start - seen.now.end) < 1000, JSON.stringify([seen, later.seen]));
      const early = seen.now.end - later.playingDate;
      assert.ok(early < 1000, `it changes when the picture does, not when the server does: ${early} ms early`);
      assert.ok(later.playingDate < later.seen.now.end, JSON.stringify(later.seen));
    }
  }
});

test('an evening passes from film to film without a stall, in the browser and as one endless stream', async (t) => {
  const page = await open(t, watch());
  await plays(page);
  const endless = `${station.url}/channels/${station.channels[0].id}/live.ts`;
  const [played, bytes] = await Promise.all([playThrough(endless, 20), listen(endless, 20), filmsPass(page, 3)]);
  assert.equal(played, '', 'ffmpeg complained of nothing');
  assert.deepEqual(brokenCounters(bytes), []);
  const seen = await stats(page);
  t.diagnostic(JSON.stringify({ stalls: seen.stalls, frames: seen.framesTotal, dropped: seen.framesDropped, latency: seen.latency }));
  assert.ok(seen.stalls.longestMs <= STALL_MAX_MS, JSON.stringify(seen.stalls));
  assert.deepEqual([seen.fatal, seen.rebuilds, seen.nudges], [0, 0, 0], JSON.stringify(seen.errorList));
  // A busy machine drops some, too.
  assert.ok(seen.framesDropped < seen.framesTotal / 4, `${seen.framesDropped} of ${seen.framesTotal} frames dropped`);
});

/** Returns what the page knew at the moment at which it changed its title. It is asked then and there: on a busy machine a
 *  question from outside is answered when the film is seconds older. */
function atNextTitle(page) {
  return page.evaluate(() => new Promise((resolve) => {
    const title = document.getElementById('title');
    const before = title.textContent;
    const look = () => title.textContent !== before && resolve(nightcast.stats());
    new MutationObserver(look).observe(title, { childList: true, characterData: true, subtree: true });
  }));
}

/** Waits until one film has followed another so many times. */
async function filmsPass(page, changes) {
  for (let i = 0; i < changes; i += 1) {
    const title = await page.locator('#title').textContent();
    await until(page, (shown) => document.getElementById('title').textContent !== shown, title, 30_000);
  }
}

test('a channel without films says so in words', async (t) => {
  const quiet = station.channels.at(-1);
  assert.equal(quiet.state, 'slate');
  const page = await open(t, `/watch/${quiet.id}`);
  await plays(page);
  await until(page, (reason) => document.getElementById('description').textContent === reason, quiet.reason);
  assert.equal(await page.locator('#progress').isVisible(), false, 'a slate has no length');
  await page.screenshot({ path: join(shots, 'slate-laptop.png') });
});

test('the wall tells what is on, and its window shows it', async (t) => {
  const page = await open(t, '/');
  await until(page, () => document.querySelector('#window.on')?.currentTime > 0);
  const rows = await page.$$eval('.channel', (all) => all.map((row) => {
    const text = (name) => row.querySelector(`.${name}`).textContent;
    return { href: row.querySelector('a').pathname, name: text('name'), title: text('title'), next: text('next'), off: row.classList.contains('off'), width: row.querySelector('.progress i').style.width };
  }));
  const { channels } = await station.api('/api/channels');
  assert.deepEqual(rows.map(({ href, name }) => [href, name]), channels.map(({ urls, name }) => [urls.page, name]));
  assert.deepEqual(rows.map(({ off }) => off), [false, false, true]);
  for (const [i, row] of rows.slice(0, 2).entries()) {
    const near = [channels[i].now, ...channels[i].next].map(({ title }) => title);
    assert.ok(near.includes(row.title), `${row.title} of ${near}`);
    assert.ok(parseFloat(row.width) > 0 && parseFloat(row.width) <= 100, row.width);
    assert.match(row.next, /^Next.*[0-9].*/);
  }
  await page.locator('.channel').nth(1).hover();
  await until(page, () => !document.querySelector('#window').classList.contains('on'));
  await until(page, () => document.querySelector('#window').classList.contains('on'));
  await page.locator('.channel a').nth(1).click();
  await page.waitForURL(`**${watch(1)}`);
});

test('the pages fit a phone and a laptop', async (t) => {
  for (const [name, width, height] of [['phone', 320, 640], ['phone-wide', 740, 360], ['laptop', 1440, 900], ['wall-tv', 1920, 1080]]) {
    for (const path of ['/', watch(), '/watch/no-such-channel']) {
      const page = await open(t, path, { viewport: { width, height } });
      if (path === watch()) await plays(page);
      await pass(0.5);
      const over = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${name} ${path} is ${over} px too wide`);
      const small = await page.$$eval('button, a', (all) =>
        all.filter((e) => e.checkVisibility?.() && e.getBoundingClientRect().height > 0 && e.getBoundingClientRect().height < 43.5).map((e) => e.id || e.textContent));
      assert.deepEqual(small, [], `${name} ${path}: targets under 44 px`);
      const file = { '/': 'wall', [watch()]: 'watch' }[path] ?? 'not-found';
      await page.screenshot({ path: join(shots, `${file}-${name}.png`), fullPage: name === 'phone' });
    }
  }
});
