// Usage: node zap.mjs URL ZAPS
// Zaps through a station's channels in a real Chromium, as a viewer does: with the mouse, on the page's own list. Prints
// one line of JSON for each zap: { from, to, frameMs, playingMs }. Both are measured in the page, from the browser's own
// time of the click: to the first frame of the new channel being shown, and to the picture moving.
import { plays, startBrowser } from './support/browser.mjs';

/** How long the picture is watched between two zaps, in milliseconds: some zap at once, most look first. In turn, so that
 *  clicks come at all moments of a segment's two seconds. */
const LOOKS_MS = [300, 700, 1100, 1600, 2300, 3100];
/** How long a zap may take before it counts as failed, in milliseconds. */
const ZAP_MAX_MS = 15_000;

const [url, count] = process.argv.slice(2);
const zaps = Number(count);
if (!url || !Number.isInteger(zaps) || zaps < 1) {
  console.error('zap.mjs: usage: node zap.mjs URL ZAPS');
  process.exit(2);
}

const browser = await startBrowser();
try {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 720 } })).newPage();
  const { channels } = await (await fetch(`${url}/api/channels`)).json();
  if (channels.length < 2) throw new Error('zapping needs two channels');
  await page.goto(`${url}${channels[0].urls.page}`);
  await plays(page);
  await page.evaluate(listenForZaps);
  await page.keyboard.press('c');
  for (let zap = 0, from = 0; zap < zaps; zap += 1) {
    await page.waitForTimeout(LOOKS_MS[zap % LOOKS_MS.length]);
    // Forward by one, two or three: never the same channel, and over all of them.
    const to = (from + 1 + (zap % Math.min(3, channels.length - 1))) % channels.length;
    await page.locator('#channels a').nth(to).click();
    await page.waitForFunction(() => globalThis.zap.frameMs !== null && globalThis.zap.playingMs !== null, null, { timeout: ZAP_MAX_MS, polling: 20 });
    const measured = await page.evaluate(() => ({ ...globalThis.zap, channel: nightcast.stats().channel }));
    if (measured.channel !== channels[to].id) throw new Error(`zapped to ${measured.channel}, not to ${channels[to].id}`);
    console.log(JSON.stringify({ from: channels[from].id, to: channels[to].id, frameMs: measured.frameMs, playingMs: measured.playingMs }));
    from = to;
  }
} finally {
  await browser.close();
}

/** Runs in the page: keeps the times of the last click on the list in `globalThis.zap`. */
function listenForZaps() {
  const video = document.querySelector('video');
  addEventListener('click', (event) => {
    if (!event.target.closest('#channels a')) return;
    const clicked = event.timeStamp;
    const old = video.src;
    const zap = { frameMs: null, playingMs: null };
    globalThis.zap = zap;
    const look = (now, { expectedDisplayTime }) => {
      // Before its source is another one, a frame is still of the old channel.
      if (video.src === old) return void video.requestVideoFrameCallback(look);
      zap.frameMs = Math.max(now, expectedDisplayTime) - clicked;
    };
    video.requestVideoFrameCallback(look);
    const moves = () => {
      if (video.src === old || video.paused) return void video.addEventListener('timeupdate', moves, { once: true });
      zap.playingMs = performance.now() - clicked;
    };
    video.addEventListener('playing', moves, { once: true });
  }, { capture: true });
}
