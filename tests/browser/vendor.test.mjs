// Goal: what is shipped of other projects is what it says it is. Method: checksums.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';

const folder = new URL('../../web/vendor/', import.meta.url);
const read = (name) => readFile(new URL(name, folder));
const listed = (await read('VERSIONS')).toString().split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.trim().split(/\s+/));

test('every file has its version, licence and checksum', async () => {
  const names = (await readdir(folder)).filter((name) => name !== 'VERSIONS').sort();
  assert.deepEqual(listed.map(([name]) => name).sort(), names);
  for (const [name, , , , sum] of listed) {
    assert.equal(createHash('sha256').update(await read(name)).digest('hex'), sum, name);
  }
});

test('the compressed player is the player', async () => {
  assert.ok(gunzipSync(await read('hls.min.js.gz')).equals(await read('hls.min.js')));
});

test('pages ask for the versions that are shipped', async () => {
  const texts = await Promise.all(['../watch.html', '../assets/base.css', '../assets/window.js', '../sw.js'].map(async (name) => (await read(name)).toString()));
  const asked = [...texts.join('').matchAll(/\/vendor\/([\w.-]+)\?v=([\d.]+)/g)].map(([, name, version]) => [name, version]);
  assert.ok(asked.length >= 3);
  for (const [name, version] of asked) {
    assert.equal(listed.find(([file]) => file === name)?.[2], version, name);
  }
});
