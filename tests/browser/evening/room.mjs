// The room: remote control, night, subtitles and other screens.
import assert from 'node:assert/strict';
import { open as openPage, pass, plays, startBrowser, stats, until } from '../support/browser.mjs';

const open = (t, { station, browser }, channel = 'deep-3', options = {}) =>
  openPage(t, browser, `${station.url}/watch/${channel}`, { viewport: { width: 800, height: 450 }, ...options });

const tuned = (page, id) => until(page, (wanted) => nightcast.stats().channel === wanted && nightcast.stats().state === 'playing', id);

export async function hands(t, at) {
  const page = await open(t, at, 'deep-3', { hasTouch: true });
  await plays(page);
  await page.mouse.move(400, 150);
  await page.mouse.wheel(0, 120);
  await tuned(page, 'deep-4');
  await pass(0.4);
  await page.mouse.wheel(0, -120);
  await tuned(page, 'deep-3');
  const touch = await page.context().newCDPSession(page);
  const point = (type, y) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x: 400, y }] });
  // Sent at once: a swipe is quick, also on a busy machine.
  await Promise.all([point('touchStart', 250), ...[220, 180, 140, 100].map((y) => point('touchMove', y)), point('touchEnd')]);
  await tuned(page, 'deep-4');
  assert.match(await page.locator('#said').textContent(), /^Channel 5, Deep 4/, 'who does not see it hears it');
}

export async function night(t, at) {
  const page = await open(t, at);
  await plays(page);
  const veil = () => page.$eval('#veil', (veil) => Number(veil.style.opacity));
  assert.equal(await veil(), 0);
  await page.keyboard.press('n');
  assert.ok((await veil()) > 0.3);
  assert.match(await page.locator('#said').textContent(), /^Night mode is on/);
  await page.locator('#night').click();
  await page.getByRole('switch', { name: 'Quiet sound' }).click();
  const slider = page.getByRole('slider', { name: 'Dim' });
  await slider.focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowRight');
  await page.getByRole('button', { name: '30 minutes' }).click();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#nights').isVisible(), false);
  await page.reload();
  await plays(page);
  assert.equal(await veil(), 0.6);
  assert.match(await page.locator('#night').getAttribute('aria-label'), /Sleeps in (30|29) minutes/);
  await page.locator('#night').click();
  assert.equal(await page.getByRole('switch', { name: 'Quiet sound' }).getAttribute('aria-checked'), 'false');
  await page.getByRole('switch', { name: 'Night mode' }).click();
  assert.equal(await veil(), 0);
}

export async function quiet(t, at) {
  const page = await open(t, at);
  await page.addInitScript(listenIn);
  await page.goto(`${at.station.url}/watch/deep-5`);
  await plays(page);
  const heard = (more) => until(page, (n) => globalThis.heard() > 0.001 && globalThis.leads === n, more);
  await page.keyboard.press('n');
  await heard(1);
  for (const id of ['deep-6', 'deep-7']) {
    await page.keyboard.press('ArrowRight');
    await tuned(page, id);
    await heard(1);
  }
  // A player that had to begin anew: its segments are broken for a while.
  await page.route('**/segments/*', (route) => route.fulfill({ status: 200, contentType: 'video/mp2t', body: Buffer.alloc(100_000, 0x47) }));
  await until(page, () => nightcast.stats().errors > 0);
  await page.unroute('**/segments/*');
  await page.keyboard.press('ArrowLeft');
  await tuned(page, 'deep-6');
  await page.keyboard.press('n');
  await tuned(page, 'deep-6');
  await heard(1);
}

/** Runs in the page: `heard()` is how loud what leaves the page's own sound is, `leads` how often the element was led there. */
function listenIn() {
  globalThis.leads = 0;
  const lead = AudioContext.prototype.createMediaElementSource;
  let ear;
  AudioContext.prototype.createMediaElementSource = function (element) {
    globalThis.leads += 1;
    const source = lead.call(this, element);
    ear = this.createAnalyser();
    return source;
  };
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (ear && to === this.context.destination) connect.call(this, ear);
    return connect.call(this, to, ...more);
  };
  globalThis.heard = () => {
    const wave = new Float32Array(ear?.fftSize ?? 0);
    ear?.getFloatTimeDomainData(wave);
    return Math.max(0, ...wave.map(Math.abs));
  };
}

export async function autoplay(t, { station }) {
  const browser = await startBrowser({ gesture: true });
  t.after(() => browser.close());
  const page = await open(t, { station, browser });
  await page.evaluate(() => localStorage.setItem('nightcast.night', JSON.stringify({ on: true, dim: 45, soft: true })));
  await page.reload();
  await plays(page);
  const { currentTime } = await stats(page);
  await until(page, (time) => nightcast.stats().currentTime > time + 1, currentTime);
  await page.getByRole('button', { name: 'Turn the sound on' }).click();
  await until(page, (time) => !nightcast.stats().muted && nightcast.stats().currentTime > time + 2, currentTime);
}

export async function sleepTimer(t, at) {
  const page = await open(t, at);
  await plays(page);
  await page.evaluate(() => localStorage.setItem('nightcast.night', JSON.stringify({ minutes: 15, until: Date.now() + 6000 })));
  await page.reload();
  await plays(page);
  await until(page, () => nightcast.stats().volume < 0.2 && document.getElementById('dark').style.opacity > 0.9);
  await page.getByRole('button', { name: 'Good night' }).waitFor();
  await until(page, () => nightcast.stats().paused);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await pass(3);
  assert.deepEqual(asked, [], 'the station has its peace');
  await page.keyboard.press('x');
  await until(page, () => nightcast.stats().state === 'playing' && !nightcast.stats().paused && nightcast.stats().volume === 1);
  assert.equal(await page.getByRole('button', { name: 'Good night' }).isVisible(), false);
}

export async function subtitles(t, at) {
  const page = await open(t, at);
  await plays(page);
  assert.equal(await page.locator('#subtitles').isVisible(), false, 'none here');
  await page.route('**/channels/deep-8/index.m3u8', (route) => route.fulfill({
    contentType: 'application/vnd.apple.mpegurl',
    body: ['#EXTM3U', '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="words",NAME="English",LANGUAGE="en",URI="words.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=900000,SUBTITLES="words"', 'index.m3u8?picture'].join('\n'),
  }));
  await page.route('**/words.m3u8', async (route) => {
    // The same segments, in words.
    const playlist = await (await fetch(`${at.station.url}/channels/deep-8/index.m3u8`)).text();
    await route.fulfill({ contentType: 'application/vnd.apple.mpegurl', body: playlist.replace(/^(?!#).+$/gm, (line) => `/words/${line.split('/').pop()}.vtt`) });
  });
  await page.route('**/*.vtt', (route) => route.fulfill({ contentType: 'text/vtt', body: 'WEBVTT\n\n00:00.000 --> 99:59:59.000\nA light in the harbour.\n' }));
  await page.goto(`${at.station.url}/watch/deep-8`);
  await plays(page);
  const button = page.getByRole('button', { name: 'Subtitles' });
  await button.click();
  assert.deepEqual(await page.$$eval('#languages button', (all) => all.map((one) => [one.textContent, one.getAttribute('aria-checked')])), [['Off', 'true'], ['English', 'false']]);
  await page.getByRole('menuitemradio', { name: 'English' }).click();
  const shown = () => [...document.querySelector('video').textTracks].some(({ mode, label }) => mode === 'showing' && label === 'English');
  await until(page, shown);
  await page.reload();
  await plays(page);
  await until(page, shown);
}

export async function screens(t, at) {
  const page = await open(t, at);
  await page.addInitScript(() => {
    const remote = Object.assign(new EventTarget(), {
      watchAvailability: async (found) => found(true),
      prompt: async () => remote.dispatchEvent(new Event('connect')),
    });
    Object.defineProperty(HTMLMediaElement.prototype, 'remote', { get: () => remote });
    globalThis.elsewhere = remote;
  });
  assert.equal(await page.locator('#cast').isVisible(), false, 'there is no other set');
  await page.reload();
  await plays(page);
  await page.getByRole('button', { name: 'Show on another screen' }).click();
  await until(page, () => nightcast.stats().paused);
  await page.evaluate(() => globalThis.elsewhere.dispatchEvent(new Event('disconnect')));
  await until(page, () => nightcast.stats().state === 'playing' && !nightcast.stats().paused);
  if (!(await page.evaluate(() => document.pictureInPictureEnabled))) return assert.equal(await page.locator('#pip').isVisible(), false);
  await page.evaluate(() => (HTMLVideoElement.prototype.requestPictureInPicture = async function () { globalThis.small = this.id; }));
  await page.keyboard.press('p');
  await until(page, () => globalThis.small === 'video');
}
