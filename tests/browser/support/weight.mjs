// How heavy a page is: what a browser with empty caches fetches of it.

/** What is on, not the page that shows it: stills, playlists and segments. */
const ON = /\/(channels|vod)\/[^?]+\.(jpg|m3u8|ts)(\?|$)/;
/** The player's player is the one large thing, and told apart. */
const PLAYER = /\/vendor\/hls\.min\.js/;

/** Opens a page and returns what it asked for and how heavy that is, compressed as it came and without the heads of the
 *  answers, once it rests; `ready` waits until it has what it wants. */
export async function weigh(browser, url, ready = (page) => page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {})) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, serviceWorkers: 'block' });
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    const [requests, complaints, sizes] = [[], [], new Map()];
    await devtools.send('Network.enable');
    devtools.on('Network.requestWillBeSent', ({ requestId, request }) => {
      requests.push(request.url);
      sizes.set(requestId, { url: request.url, bytes: 0 });
    });
    devtools.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
      if (sizes.has(requestId)) sizes.get(requestId).bytes += encodedDataLength;
    });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
    await ready(page);
    const counted = [...sizes.values()].filter((one) => !ON.test(one.url) && !PLAYER.test(one.url) && one.url.startsWith('http'));
    return { bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0), requests, complaints, counted };
  } finally {
    await context.close();
  }
}
