#!/usr/bin/env node
// Usage: play.mjs URL SECONDS [SCREENSHOT.png]
// Opens a watch page in Chromium, plays for so long, and prints what a viewer would have noticed as JSON.
// Exit status: 0 no stall over a second, under 1 % of frames dropped, no fatal error; 1 otherwise; 2 usage.
import { plays, startBrowser, stats } from './support/browser.mjs';

const [url, seconds, screenshot] = process.argv.slice(2);
if (!url || !(Number(seconds) > 0)) {
  console.error('usage: play.mjs URL SECONDS [SCREENSHOT.png]');
  process.exit(2);
}
const browser = await startBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const log = [];
  page.on('pageerror', (error) => log.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && log.push(message.text()));
  await page.goto(url);
  const started = await plays(page, 30_000).then(() => true, () => false);
  const titles = new Set();
  const end = Date.now() + Number(seconds) * 1000;
  let read = await stats(page);
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    read = await stats(page);
    if (read.seen?.now?.title) titles.add(read.seen.now.title);
  }
  if (screenshot) await page.screenshot({ path: screenshot });
  const droppedPercent = read.framesTotal > 0 ? (100 * read.framesDropped) / read.framesTotal : 100;
  const fine = started && read.stalls.longestMs <= 1000 && droppedPercent < 1 && read.fatal === 0;
  const result = {
    url, seconds: Number(seconds), fine, started, startupMs: read.startupMs, stalls: read.stalls,
    stallsOverOneSecond: read.stalls.longestMs > 1000, droppedPercent: Number(droppedPercent.toFixed(3)),
    framesTotal: read.framesTotal, framesDropped: read.framesDropped, fatalErrors: read.fatal, errors: read.errorList,
    rebuilds: read.rebuilds, nudges: read.nudges, latencySeconds: read.latency, playingDate: read.playingDate && new Date(read.playingDate),
    width: read.width, height: read.height, audioBytes: read.audioBytes, titles: [...titles], log,
  };
  console.log(JSON.stringify(result, null, 2));
  process.exitCode = fine ? 0 : 1;
} finally {
  await browser.close();
}
