// A hundred zaps, and what is left behind.
import assert from 'node:assert/strict';
import { open, plays, stats, until } from '../support/browser.mjs';

const ZAPS = 100;
/** As many are zapped before anything is counted: what is made once is made by then. */
const WARM = 15;
/** By how much a page may have grown after all of them: the heap in bytes, and nodes and listeners of any kind. The programme
 *  grows by some 150 nodes until it tells as much as it ever does; a page that kept something of each zap would have more. */
const HEAP_MAX = 6e6;
const NODES_MAX = 350;
const LISTENERS_MAX = 20;
/** Of players and their parts, the last one's and that of the channel before it may still be there. */
const SOURCES_MAX = 2;

export async function zapping(t, { station, browser }) {
  const page = await open(t, browser, `${station.url}/watch/deep-0`, { viewport: { width: 640, height: 360 } });
  await plays(page);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  let before;
  for (let zap = 1; zap <= ZAPS; zap += 1) {
    const id = `deep-${zap % station.channels.length}`;
    await page.keyboard.press('ArrowRight');
    // One in seven is in a hurry, and does not wait for the picture.
    if (zap % 7 === 0 && zap !== WARM && zap < ZAPS) continue;
    await until(page, (wanted) => nightcast.stats().channel === wanted && nightcast.stats().state === 'playing', id);
    if (zap === WARM) before = await counted(cdp);
  }
  const after = await counted(cdp);
  const { currentTime, fatal, rebuilds } = await stats(page);
  await until(page, (time) => nightcast.stats().currentTime > time + 2, currentTime);
  t.diagnostic(JSON.stringify({ before, after }));
  assert.deepEqual([fatal, rebuilds], [0, 0]);
  assert.equal(await page.$$eval('video', (all) => all.length), 1);
  assert.ok(after.heap - before.heap < HEAP_MAX, `the heap grew from ${before.heap} to ${after.heap}`);
  assert.ok(after.nodes - before.nodes < NODES_MAX, `from ${before.nodes} nodes to ${after.nodes}`);
  assert.ok(after.listeners - before.listeners < LISTENERS_MAX, `from ${before.listeners} listeners to ${after.listeners}`);
  assert.ok(after.sources <= SOURCES_MAX && after.videos <= before.videos, JSON.stringify(after));
}

/** Returns what a page holds once everything that can go has gone. */
async function counted(cdp) {
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return {
    heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners'),
    sources: await alive(cdp, 'MediaSource'), videos: await alive(cdp, 'HTMLVideoElement'),
  };
}

/** Returns how many objects of a kind are alive. */
async function alive(cdp, kind) {
  const { result } = await cdp.send('Runtime.evaluate', { expression: `${kind}.prototype`, objectGroup: 'alive' });
  const { objects } = await cdp.send('Runtime.queryObjects', { prototypeObjectId: result.objectId, objectGroup: 'alive' });
  const { result: count } = await cdp.send('Runtime.callFunctionOn', { objectId: objects.objectId, functionDeclaration: 'function () { return this.length; }', returnByValue: true });
  await cdp.send('Runtime.releaseObjectGroup', { objectGroup: 'alive' });
  return count.value;
}
