// A real station: the program itself, in a folder of its own, on a port that stays the same when it is started again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeFilms } from './clips.mjs';

const PROGRAM = process.env.NIGHTCAST ?? fileURLToPath(new URL('../../../target/debug/nightcast', import.meta.url));

/** How long a station may take to go on air, and to stop, before a test fails and shows its log. */
const READY_MS = 60_000;
const STOP_MS = 15_000;

/** The channels; the folder of the last holds nothing. Small pictures, so that two cores carry station and browser. */
const CHANNELS = [
  { id: 'night-lights', name: 'Night Lights' },
  { id: 'deep-green', name: 'Deep Green' },
  { id: 'attic', name: 'The Attic' },
];

/** Makes the films, starts a station with these channels and arguments of `run`, and returns it once every channel is on air. */
export async function realStation({ channels = CHANNELS, args = [] } = {}) {
  const station = new Station(await mkdtemp(join(tmpdir(), 'nightcast-browser-')), await freePort(), channels, args);
  try {
    await station.furnish();
    await station.start();
    return station;
  } catch (error) {
    await station.close();
    throw error;
  }
}

class Station {
  channels = [];
  log = [];
  #folder;
  #child = null;
  #wanted;
  #args;

  constructor(folder, port, wanted, args) {
    this.#folder = folder;
    this.#wanted = wanted;
    this.#args = args;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  async furnish() {
    await this.configure(this.#wanted);
    for (const films of new Set(this.#wanted.map(({ id, folder }) => folder ?? id))) await makeFilms(join(this.#folder, 'media', films), films);
  }

  /** Saves a configuration with these channels, in one stroke; a station that runs follows it. */
  async configure(channels) {
    const blocks = channels.map(({ id, name, folder = id, renditions, more = '' }) => {
      const sizes = renditions ? [`renditions = ${renditions}\n`, ''] : ['', 'size = "640x360"\n'];
      return `[[channel]]\nid = "${id}"\nname = "${name}"\nfolder = "media/${folder}"\norder = "sequential"\n${sizes[0]}${more}[channel.picture]\n${sizes[1]}preset = "ultrafast"\n`;
    });
    const text = `[station]\nname = "Nightcast"\nlisten = "127.0.0.1:${this.port}"\nsettle-seconds = 0.1\n\n[metrics]\nlisten = "off"\n\n${blocks.join('\n')}`;
    await writeFile(join(this.#folder, '.channels.new'), text);
    await rename(join(this.#folder, '.channels.new'), join(this.#folder, 'channels.toml'));
  }

  /** Starts the program and waits until every channel is on air. */
  async start() {
    // The kernel ends it when this process dies, however that comes about; nothing is left over from a failed test.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', PROGRAM, 'run', ...this.#args], { cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    child.once('error', (error) => this.log.push(String(error)));
    await this.until('it is ready', async () => {
      if (child.exitCode !== null) throw new Error(`the station ended with ${child.exitCode}\n${this.tail()}`);
      return (await fetch(`${this.url}/readyz`)).ok;
    });
    ({ channels: this.channels } = await this.api('/api/channels'));
  }

  /** Sends a signal and waits for the end. */
  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    const hopeless = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill(signal);
    await ended;
    clearTimeout(hopeless);
  }

  async close() {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Returns what the API answers, as JSON. */
  async api(path) {
    const response = await fetch(`${this.url}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }

  /** Returns the programmes that the channel's playlist tells of: { title, start }. */
  async dateRanges(channel) {
    const text = await (await fetch(`${this.url}/channels/${channel}/index.m3u8`)).text();
    return [...text.matchAll(/^#EXT-X-DATERANGE:.*START-DATE="([^"]+)".*X-TITLE="([^"]*)"/gm)].map(([, start, title]) => ({ title, start }));
  }

  /** Returns the pid of a channel's on-air ffmpeg: a child of the station that lives in the channel's run folder. */
  async onAirPid(channel) {
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) !== this.#child?.pid || state === 'Z') continue;
      const home = await readlink(`/proc/${name}/cwd`).catch(() => '');
      if (home.includes('/run/') && home.split('/').some((part) => part.startsWith(channel))) return Number(name);
    }
    throw new Error(`no ffmpeg is on air for ${channel}\n${this.tail()}`);
  }

  /** Asks again and again until something is so. */
  async until(what, look) {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const seen = await look().catch((error) => {
        if (error.cause?.code !== 'ECONNREFUSED') throw error;
      });
      if (seen) return seen;
      if (Date.now() > deadline) throw new Error(`never came: ${what}\n${this.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Returns the last words of the station, for a failing test. */
  tail() {
    return this.log.slice(-40).join('\n');
  }
}

/** Returns a port that was free a moment ago; the station is told it, so that it comes back on the same. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
