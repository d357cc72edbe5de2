// Usage: node budget.mjs URL [RUNS]
// Measures how heavy a station's pages are and how soon a picture is there, in a real Chromium with empty caches. Prints one
// line of JSON for each page: { page, kB, requests } without the player's player (hls.js), stills and segments; and for the
// channel's page { page, firstPictureMs } of each run, from the beginning of the navigation to the first frame being shown.
import { plays, startBrowser } from './support/browser.mjs';
import { weigh } from './support/weight.mjs';

const [url, count = '5'] = process.argv.slice(2);
const runs = Number(count);
if (!url || !Number.isInteger(runs) || runs < 1) {
  console.error('budget.mjs: usage: node budget.mjs URL [RUNS]');
  process.exit(2);
}

const browser = await startBrowser();
try {
  const { channels } = await (await fetch(`${url}/api/channels`)).json();
  const watch = channels.find(({ state }) => state === 'on_air')?.urls.page;
  if (!watch) throw new Error('no channel is on air');
  for (const page of ['/', '/guide', watch, '/watch/no-such-channel', '/offline']) {
    const { bytes, requests } = await weigh(browser, `${url}${page}`);
    console.log(JSON.stringify({ page, kB: Math.round(bytes / 100) / 10, requests: requests.length }));
  }
  for (let run = 0; run < runs; run += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, serviceWorkers: 'block' });
    const page = await context.newPage();
    await page.addInitScript(lookForPicture);
    await page.goto(`${url}${watch}`);
    await plays(page);
    const firstPictureMs = await (await page.waitForFunction(() => globalThis.firstPictureMs)).jsonValue();
    console.log(JSON.stringify({ page: watch, firstPictureMs: Math.round(firstPictureMs) }));
    await context.close();
  }
} finally {
  await browser.close();
}

/** Runs in the page: keeps when the first frame was shown, since the navigation began. */
function lookForPicture() {
  addEventListener('DOMContentLoaded', () => {
    const look = (now, { expectedDisplayTime }) => (globalThis.firstPictureMs = Math.max(now, expectedDisplayTime));
    document.querySelector('video').requestVideoFrameCallback(look);
  });
}
