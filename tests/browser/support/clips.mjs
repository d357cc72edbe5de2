// Makes short films out of nothing, of kinds that a station has to treat differently.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const gradients = (size, rate, seed, colours) =>
  `gradients=s=${size}:r=${rate}:${colours.map((colour, i) => `c${i}=${colour}`).join(':')}:n=${colours.length}:speed=0.02:seed=${seed}`;
const AVC = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const AAC = ['-c:a', 'aac', '-b:a', '96k'];

/** A white picture for a fifth of a second in each second, and the lines that go with it. */
const FLASHES = "color=c=0x202020:s=320x180:r=25,drawbox=w=iw:h=ih:c=white:t=fill:enable='between(mod(n,25),12,16)'";
const flashLines = (name, seconds) => Array.from({ length: seconds }, (_, n) =>
  `${n + 1}\n00:00:${String(n).padStart(2, '0')},480 --> 00:00:${String(n).padStart(2, '0')},680\nflash ${n} of ${name}\n\n`).join('');

/** Films by channel: those in H.264 with short GOPs stay as they are, the others are made anew. */
export const FILMS = {
  'night-lights': [
    { file: 'harbour.mp4', title: 'Harbour, 3 a.m.', artist: 'A. Lindqvist', seconds: 14, sound: ['48000', 2],
      picture: gradients('640x360', '25', 7, ['0x0b1d3a', '0xd98a3d', '0x402060']), codecs: [...AVC, '-g', '50', '-bf', '2', ...AAC] },
    { file: 'train.avi', title: 'Slow Train North', artist: 'M. Okafor', seconds: 13, sound: ['44100', 2],
      picture: gradients('480x360', '30', 3, ['0x06281f', '0x6fb98f', '0x0b3a53']), codecs: ['-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3'] },
    { file: 'lamps.mkv', title: 'Lamps Along the Quay', artist: 'R. Costa', seconds: 12, sound: ['48000', 1],
      picture: gradients('512x288', '24000/1001', 5, ['0x2b0a1e', '0xe0566f', '0x1b1b3a']), codecs: [...AVC, '-g', '48', '-bf', '0', ...AAC] },
    { file: 'rain.mpg', title: 'Rain on the Skylight', artist: 'Y. Tanabe', seconds: 15, sound: ['44100', 1],
      picture: gradients('352x288', '25', 9, ['0x0b3a53', '0x9fb8c8', '0x1b1b3a']), codecs: ['-c:v', 'mpeg2video', '-q:v', '5', '-c:a', 'mp2'] },
  ],
  'crossing': [
    { file: 'ferry.mp4', title: 'The Night Ferry', artist: 'A. Lindqvist', seconds: 60, sound: ['48000', 2],
      picture: gradients('640x360', '25', 17, ['0x0b1d3a', '0x6fb98f', '0x402060']), codecs: [...AVC, '-g', '50', ...AAC] },
  ],
  'flashes': [
    { file: 'dots.mp4', title: 'Dots', artist: 'R. Costa', seconds: 7, sound: ['48000', 2], lines: { 'dots.en.srt': flashLines('dots', 7) },
      picture: FLASHES, codecs: [...AVC, '-g', '50', ...AAC] },
    { file: 'dashes.avi', title: 'Dashes', artist: 'R. Costa', seconds: 9, sound: ['44100', 2], lines: { 'dashes.srt': flashLines('dashes', 9) },
      picture: FLASHES, codecs: ['-c:v', 'mjpeg', '-q:v', '5', '-c:a', 'mp3'] },
  ],
  // As dear as a rendition may be: noise cannot be made small.
  'ladder': [
    { file: 'snow.mp4', title: 'Snow', artist: 'R. Costa', seconds: 20, sound: ['48000', 2],
      picture: `${gradients('640x360', '25', 19, ['0x0b1d3a', '0x6fb98f', '0x402060'])},noise=alls=60:allf=t`, codecs: [...AVC, '-g', '50', ...AAC] },
  ],
  'deep-green': [
    { file: 'moss.mp4', title: 'A Walk in the Moss Garden', artist: 'Y. Tanabe', seconds: 15, sound: ['48000', 2],
      picture: gradients('640x360', '25', 11, ['0x0c2415', '0x7fae5b', '0x143a3a']), codecs: [...AVC, '-g', '50', ...AAC] },
    { file: 'tide.mp4', title: 'Tidewater', artist: 'R. Costa', seconds: 12, sound: ['48000', 2],
      picture: gradients('640x360', '30', 13, ['0x06281f', '0x6fb98f', '0x0b3a53']), codecs: [...AVC, '-g', '60', ...AAC] },
  ],
};

/** Makes the films of a channel. */
export async function makeFilms(folder, channel) {
  await mkdir(folder, { recursive: true });
  for (const [i, { file, title, artist, seconds, sound: [rate, layout], picture, codecs, lines = {} }] of (FILMS[channel] ?? []).entries()) {
    await run('ffmpeg', [
      '-hide_banner', '-nostdin', '-loglevel', 'error', '-f', 'lavfi', '-i', picture,
      '-f', 'lavfi', '-i', `sine=frequency=${220 + 55 * i}:sample_rate=${rate}`, '-t', String(seconds),
      '-af', 'volume=0.2', '-ac', String(layout), ...codecs, '-metadata', `title=${title}`, '-metadata', `artist=${artist}`,
      join(folder, file),
    ]);
    for (const [name, text] of Object.entries(lines)) await writeFile(join(folder, name), text);
  }
}
