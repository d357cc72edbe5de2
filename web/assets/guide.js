// What is on, by whose clock. Pure: time comes in, words go out.
import { stationClock } from './clock.js';

/** Returns the airings of a channel's API answer in order of time, with their times as milliseconds. */
export function timeline(channel) {
  const known = new Map();
  for (const airing of [...(channel.aired ?? []), ...(channel.now ? [channel.now] : []), ...(channel.next ?? [])]) {
    const start = Date.parse(airing.start);
    if (Number.isFinite(start)) known.set(start, { ...airing, start, end: start + airing.duration_seconds * 1000 });
  }
  return [...known.values()].sort((a, b) => a.start - b.start);
}

/** Returns what a viewer sees who is at `moment` (milliseconds): the airing, how far in, and the one after it. */
export function at(airings, moment) {
  let index = -1;
  for (let i = 0; i < airings.length && airings[i].start <= moment; i += 1) index = i;
  if (index < 0) return { now: null, next: airings[0] ?? null, position: 0 };
  const now = airings[index];
  const length = Math.max(0, (now.end - now.start) / 1000);
  return { now, next: airings[index + 1] ?? null, position: Math.min(length, (moment - now.start) / 1000) };
}

/** Returns seconds as a clock: 4:05, 1:02:03. */
export function length(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, secs] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(secs)}` : `${minutes}:${two(secs)}`;
}

/** Returns a moment as the viewer's own wall clock shows it. */
export function clock(moment) {
  return new Date(moment).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
}

/** Returns author and year in one line, whichever there are; files tell dates to the day, or in words of their own. */
export function byline(airing) {
  const year = /^(\d{4})-\d\d/.exec(airing?.date ?? '')?.[1] ?? airing?.date;
  return [airing?.author, year].filter(Boolean).join(' · ');
}

/** Asks the station; rejects after the time-out, so that a half-open connection never holds a page up. */
export async function ask(path, timeoutMs = 8000) {
  const sent = Date.now();
  const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs), headers: { accept: 'application/json' } });
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  const [came, steady] = [Date.now(), performance.now()];
  const told = await response.json();
  stationClock.heard(sent, Date.parse(told.server_time), came, steady);
  return told;
}
