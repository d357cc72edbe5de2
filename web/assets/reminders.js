// Reminders of programmes: kept in this browser, told while any page of the station is open in it.
import { ask, clock } from './guide.js';
import { strings } from './strings.js';

const KEY = 'nightcast.reminders';
/** How many may be kept. */
const KEPT_MAX = 100;
/** How long before its beginning one is told, how often is looked, and how long before it the plan is asked once more: plans
 *  move. In milliseconds. */
const LEAD_MS = 60_000;
const LOOK_MS = 10_000;
const ASK_MS = 5 * 60_000;
/** How long a word in the page stays, in milliseconds. */
const SHOWN_MS = 45_000;

/** Returns the reminders that are kept: { channel, name, serial, title, start, end }, times in milliseconds. */
export function kept() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(all) ? all.filter((one) => Number.isFinite(one?.start) && typeof one.channel === 'string') : [];
  } catch {
    return [];
  }
}

function keep(all) {
  try {
    localStorage.setItem(KEY, JSON.stringify(all.slice(-KEPT_MAX)));
  } catch {
    // A browser that keeps nothing forgets reminders with the page.
  }
}

const same = (a, b) => a.channel === b.channel && a.serial === b.serial;

/** Whether one is kept of a programme. */
export function has(programme) {
  return kept().some((one) => same(one, programme));
}

/** Keeps a reminder, or lets go of it; asks for the right to notify. Returns whether it is kept now. */
export async function toggle(programme) {
  const others = kept().filter((one) => !same(one, programme));
  const wanted = !has(programme);
  keep(wanted ? [...others, programme] : others);
  if (wanted && 'Notification' in globalThis && Notification.permission === 'default') await Notification.requestPermission().catch(() => {});
  return wanted;
}

/** Takes the times that the guide now tells of what is kept. */
export function follow(programmes) {
  const all = kept();
  let moved = false;
  for (const one of all) {
    const now = programmes.find((programme) => same(programme, one));
    if (now && now.start !== one.start) {
      [one.start, one.end, moved] = [now.start, now.end, true];
    }
  }
  if (moved) keep(all);
}

/** Whether a reminder can reach someone who looks elsewhere. */
export function reaches() {
  return 'Notification' in globalThis && Notification.permission === 'granted';
}

/** Returns those that are due at a moment, and those that are left; what is over is neither. Pure. */
export function due(all, moment) {
  const isDue = (one) => one.start - LEAD_MS <= moment && moment < one.end;
  return { due: all.filter(isDue), left: all.filter((one) => one.start - LEAD_MS > moment) };
}

/** Looks for reminders for as long as the page is open. */
export function remind() {
  let asked = new Set();
  const look = async () => {
    const soon = kept().filter((one) => one.start - Date.now() < ASK_MS);
    for (const one of soon.filter((one) => !asked.has(`${one.channel} ${one.serial}`))) {
      asked.add(`${one.channel} ${one.serial}`);
      await check(one);
    }
    // Of several pages that are open one tells; the others find nothing left.
    const tell = () => {
      const { due: now, left } = due(kept(), Date.now());
      if (left.length < kept().length) keep(left);
      now.forEach(show);
    };
    await (navigator.locks ? navigator.locks.request(KEY, tell) : tell());
  };
  look();
  setInterval(look, LOOK_MS);
}

async function check(one) {
  const told = await ask(`/api/channels/${encodeURIComponent(one.channel)}`).catch(() => null);
  if (!told) return;
  const all = [...(told.aired ?? []), ...(told.now ? [told.now] : []), ...(told.next ?? [])];
  follow(all.map(({ serial, start, end }) => ({ channel: one.channel, serial, start: Date.parse(start), end: Date.parse(end) })));
}

async function show(one) {
  const page = `/watch/${encodeURIComponent(one.channel)}`;
  const body = one.start > Date.now() ? strings.remindAt(clock(one.start), one.name) : strings.remindNow(one.name);
  banner(one.title, body, page);
  if (!reaches()) return;
  const options = { body, tag: `${one.channel}-${one.serial}`, icon: '/assets/icon-192.png', data: { page } };
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => null);
  if (registration?.active) return registration.showNotification(one.title, options);
  const notification = new Notification(one.title, options);
  notification.onclick = () => (location.href = page);
}

/** Says it in the page, too: for those who look at it, and where notifications are not to be had. */
function banner(title, body, page) {
  const link = Object.assign(document.createElement('a'), { href: page, textContent: title });
  const words = Object.assign(document.createElement('span'), { textContent: ` ${body}` });
  const close = Object.assign(document.createElement('button'), { type: 'button', textContent: strings.close });
  const note = Object.assign(document.createElement('div'), { className: 'reminder' });
  note.setAttribute('role', 'status');
  note.append(link, words, close);
  close.addEventListener('click', () => note.remove());
  document.body.append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
