// Takes a channel as one endless transport stream, as a TV app would.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACKET = 188;
const NULL_PID = 0x1fff;

/** Plays so many seconds with ffmpeg and returns everything it complained of. */
export async function playThrough(url, seconds) {
  // Frames keep their own times: the null muxer would else count them at the first film's rate, and complain.
  const times = ['-fps_mode', 'passthrough', '-enc_time_base:v', '1:90000'];
  const { stderr } = await run('ffmpeg', [
    '-hide_banner', '-nostdin', '-v', 'error', '-i', url, '-t', String(seconds), ...times, '-f', 'null', '-',
  ]);
  return stderr;
}

/** Returns the bytes that come in so many seconds. */
export async function listen(url, seconds) {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), seconds * 1000);
  const pieces = [];
  try {
    const response = await fetch(url, { signal: cut.signal });
    for await (const piece of response.body) pieces.push(piece);
    throw new Error('an endless stream has ended');
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(pieces);
}

/** Returns where a packet is missing or doubled, by the continuity counters (ISO/IEC 13818-1 §2.4.3.3). */
export function brokenCounters(bytes) {
  const counters = new Map();
  const broken = [];
  for (let at = 0; at + PACKET <= bytes.length; at += PACKET) {
    if (bytes[at] !== 0x47) return [...broken, `no packet begins at ${at}`];
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    const [adapts, carries] = [bytes[at + 3] & 0x20, bytes[at + 3] & 0x10];
    const fresh = adapts && bytes[at + 4] > 0 && bytes[at + 5] & 0x80;
    // Only packets with a payload count, and an announced discontinuity may begin anywhere.
    if (pid === NULL_PID || !carries) continue;
    const counter = bytes[at + 3] & 0x0f;
    const before = counters.get(pid);
    if (before !== undefined && !fresh && counter !== (before + 1) % 16) broken.push(`pid ${pid} at ${at}: ${before}, then ${counter}`);
    counters.set(pid, counter);
  }
  if (counters.size < 4) broken.push(`only ${counters.size} kinds of packets in ${bytes.length} bytes`);
  return broken;
}
