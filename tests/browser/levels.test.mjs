// Goal: a choice made on one channel means the picture, and the subtitles, one would choose on another. Method: tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meant } from '../../web/assets/levels.js';
import { spoken, tracksOf } from '../../web/assets/tracks.js';

const level = (name, lines) => ({ name, lines });
const THREE = [level('1080p', 1080), level('720p', 720), level('360p', 360)];

test('a choice is the picture of that name and size, else the largest with no more lines, else the smallest', () => {
  for (const [sentence, levels, choice, expected] of [
    ['nothing is chosen', THREE, null, -1],
    ['it is there', THREE, level('720p', 720), 1],
    ['it is called otherwise here', THREE, level('phone', 360), 2],
    ['none is so large', THREE, level('2160p', 2160), 0],
    ['the next smaller', THREE, level('480p', 480), 2],
    ['all are larger', THREE, level('240p', 240), 2],
    ['of two with the same lines, the one of that name', [level('720p', 480), level('480p', 480)], level('480p', 480), 1],
    ['the name stands for another size here', [level('a', 720), level('b', 360)], level('a', 360), 1],
    ['there is nothing to choose', [level('720p', 720)], level('720p', 720), -1],
    ['nothing is known yet', [], level('720p', 720), -1],
  ]) {
    assert.equal(meant(levels, choice), expected, sentence);
  }
});

test('subtitles are shown in the language that was chosen, or one of its kin, else none', () => {
  const tracks = tracksOf({ subtitleTracks: [{ name: 'English', lang: 'en-GB' }, { name: 'Deutsch', lang: 'de' }, { name: 'Signs' }] });
  for (const [language, expected] of [[null, -1], ['de', 1], ['de-AT', 1], ['en', 0], ['EN-us', 0], ['Signs', 2], ['fr', -1]]) {
    assert.equal(spoken(tracks, language), expected, String(language));
  }
  assert.deepEqual(tracksOf(null), []);
});
