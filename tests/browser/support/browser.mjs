// Debian's own Chromium, driven by playwright-core.
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** The longest a picture may stand still, in milliseconds, where nothing is wrong with what is played: a busy machine that
 *  decodes by itself stops now and then, with seconds of picture in store. A picture that is stuck stays so for longer. */
export const STALL_MAX_MS = 2500;

/** Starts the browser; `gesture: true` keeps the rule that sound needs a gesture of the viewer. */
export function startBrowser({ gesture = false } = {}) {
  const policy = gesture ? 'document-user-activation-required' : 'no-user-gesture-required';
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...FLAGS, `--autoplay-policy=${policy}`],
    // Playwright mutes by default, and would let every page play at once.
    ignoreDefaultArgs: ['--mute-audio'],
  });
}

/** Starts a browser of its own that can be stopped with all its processes, as a device that sleeps stops: { browser, stop(),
 *  go(), close() }. */
export async function startSleeper() {
  const server = await chromium.launchServer({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...FLAGS, '--autoplay-policy=no-user-gesture-required'],
    ignoreDefaultArgs: ['--mute-audio'],
  });
  const browser = await chromium.connect(server.wsEndpoint());
  const all = async (signal) => {
    for (const pid of await descendants(server.process().pid)) send(pid, signal);
  };
  return { browser, stop: () => all('SIGSTOP'), go: () => all('SIGCONT'), close: () => server.close() };
}

/** Sends a signal to a process that may have ended meanwhile. */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Returns a process and all that descend from it. */
async function descendants(root) {
  const children = new Map();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** Returns the page's own count of what the viewer noticed. */
export function stats(page) {
  return page.evaluate(() => globalThis.nightcast?.stats());
}

/** Waits until the picture moves. */
export function plays(page, timeout = 15_000) {
  return page.waitForFunction(() => globalThis.nightcast?.stats().state === 'playing', null, { timeout, polling: 50 });
}

/** Opens a page of its own viewer; errors of its scripts, and what the page's policy refuses, fail the test. */
export async function open(t, browser, url, options = {}) {
  // Requests that pass a service worker cannot be staged; those who test it say so.
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && errors.push(message.text()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(url);
  return page;
}

/** Waits until something is so in the page. */
export function until(page, check, argument, timeout = 20_000) {
  return page.waitForFunction(check, argument, { timeout, polling: 50 });
}

/** Returns a moment later; where time itself is what is tested, such as an absence of ten seconds. */
export function pass(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
