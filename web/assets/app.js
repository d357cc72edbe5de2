// What every page of the station does beside its own work: keeps the app in the browser, and reminds.
import { remind } from './reminders.js';

/** How often a page that stays open looks for a newer version of the station, in milliseconds. */
const LOOK_MS = 3_600_000;

const worker = navigator.serviceWorker;

/** Takes the newest service worker, and with it the newest pages: one that is not watched begins anew at once, one that is
 *  when it comes into view again, and a picture is never interrupted. */
async function keep() {
  const registration = await worker.register('/sw.js', { updateViaCache: 'none' });
  let first = !worker.controller;
  worker.addEventListener('controllerchange', () => {
    if (first) return void (first = false);
    if (document.body.classList.contains('watch')) return;
    if (document.hidden) location.reload();
    else document.addEventListener('visibilitychange', () => location.reload(), { once: true });
  });
  setInterval(() => registration.update().catch(() => {}), LOOK_MS);
}

// After the page itself has what it needs. Where the browser or the address does not allow it, pages are just pages.
if (worker) addEventListener('load', () => setTimeout(() => keep().catch(() => {}), 1000), { once: true });

remind();
