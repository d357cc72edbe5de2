#!/usr/bin/env node
// Usage: strict.mjs FILE|URL...
// Reads each playlist with hls-parser in strict mode, which throws on every rule of RFC 8216 it knows.
// Exit status: 0 all are valid; 1 otherwise; 2 usage.
import { readFile } from 'node:fs/promises';
import HLS from 'hls-parser';

HLS.setOptions({ strictMode: true });
const places = process.argv.slice(2);
if (places.length === 0) {
  console.error('usage: strict.mjs FILE|URL...');
  process.exit(2);
}
for (const place of places) {
  try {
    const text = /^https?:/.test(place) ? await (await fetch(place)).text() : await readFile(place, 'utf8');
    const playlist = HLS.parse(text);
    const count = playlist.segments?.length ?? playlist.variants.length;
    if (count === 0) throw new Error('no segments');
    console.log(`${place}: valid, ${count} entries`);
  } catch (error) {
    console.error(`${place}: ${error.message}`);
    process.exitCode = 1;
  }
}
