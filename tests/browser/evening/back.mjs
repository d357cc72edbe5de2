// Going back: over the bar, to a programme's beginning, after a pause, and to what is on again.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STALL_MAX_MS, open as openPage, pass, plays, stats, until } from '../support/browser.mjs';

const shots = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../../target/screenshots', import.meta.url));
/** How long a machine with ten other viewers may take. */
const PATIENCE_MS = 60_000;

/** Waits until the picture plays so many seconds behind what everybody sees. */
const behind = (page, from, to) => until(page, ([least, most]) => {
  const { rewound, state, now, playingDate } = nightcast.stats();
  const far = (now - playingDate) / 1000;
  return rewound && state === 'playing' && far >= least && far <= most;
}, [from, to], PATIENCE_MS);

/** Waits until the picture is led to what everybody sees; that it then gets there within a minute is tested elsewhere. */
const isLive = (page) => until(page, () => {
  const { rewound, state, late } = nightcast.stats();
  return !rewound && state === 'playing' && late !== null && Math.abs(late) < 1.5;
}, null, PATIENCE_MS);

export async function back(t, { station, browser }) {
  await mkdir(shots, { recursive: true });
  const page = await openPage(t, browser, `${station.url}/watch/deep-9`);
  await plays(page);
  await until(page, () => Number(document.getElementById('scrub')?.min) <= -45, null, PATIENCE_MS);
  const bar = page.getByRole('slider', { name: 'Go back' });
  assert.equal(await bar.getAttribute('aria-valuetext'), 'Live');
  await isLive(page);
  await bar.focus();
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowLeft');
  await behind(page, 26, 45);
  assert.match(await bar.getAttribute('aria-valuetext'), /^(A Walk in the Moss Garden|Tidewater), .+, 0:\d\d behind live$/);
  assert.equal(await page.locator('#live').textContent(), 'Back to live');
  for (const [name, width, height] of [['laptop', 1280, 720], ['phone', 390, 844], ['small', 320, 568]]) {
    await page.setViewportSize({ width, height });
    await page.mouse.move(width / 2, 60);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${over} px too wide at ${width}`);
    await page.screenshot({ path: join(shots, `rewind-${name}.png`) });
  }
  await page.setViewportSize({ width: 1280, height: 720 });

  // What one left is where one finds it.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('k');
  await until(page, () => nightcast.stats().paused);
  const held = (await stats(page)).playingDate;
  await pass(2);
  await page.keyboard.press('k');
  await until(page, () => !nightcast.stats().paused && nightcast.stats().state === 'playing');
  const gone = ((await stats(page)).playingDate - held) / 1000;
  assert.ok(gone >= 0 && gone < 1.9, `${gone} s further`);

  const { start } = (await stats(page)).seen.now;
  await page.locator('#over').click();
  await until(page, (from) => nightcast.stats().state === 'playing' && Math.abs(nightcast.stats().playingDate - from) < 4000, start, PATIENCE_MS);
  await page.keyboard.press('i');
  await until(page, () => document.querySelector('.tonight .now .again'));
  await page.screenshot({ path: join(shots, 'rewind-programme.png') });
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Back to live' }).click();
  await isLive(page);
  await until(page, () => document.getElementById('live').textContent === 'Live');

  // A pause goes on where it was, too.
  await page.keyboard.press('k');
  await until(page, () => nightcast.stats().paused);
  const left = (await stats(page)).playingDate;
  await pass(8);
  await page.keyboard.press('k');
  await behind(page, 5, 60);
  const since = ((await stats(page)).playingDate - left) / 1000;
  assert.ok(since > -2.5 && since < 8, `${since} s further`);

  const { stalls, fatal } = await stats(page);
  assert.ok(stalls.longestMs < STALL_MAX_MS && fatal === 0, JSON.stringify({ stalls, fatal }));
  // Another channel is another evening.
  await page.keyboard.press('PageDown');
  await until(page, () => nightcast.stats().channel === 'deep-8' && nightcast.stats().state === 'playing' && !nightcast.stats().rewound);
  await until(page, () => document.querySelector('.past').hidden);
}
