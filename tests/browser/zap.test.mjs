// Goal: zapping begins with what can be shown at once. Method: tables of playlists; the times themselves are measured by
// `make bench ONLY=zap`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syncAtSegment } from '../../web/assets/sync.js';

/** Returns the fragments of a playlist with segments of these lengths that begins at a time, and its edge. */
function playlist(begin, lengths) {
  let edge = begin;
  const fragments = lengths.map((length) => {
    const start = edge;
    edge += length;
    return { start };
  });
  return [fragments, edge];
}

test('one begins where a segment begins, never nearer to the edge than asked', () => {
  for (const [begin, lengths, least, expected] of [
    [100, [2, 2, 2, 2, 2, 2], 7, 8],
    [0, [2, 2, 2, 2, 2], 8, 8],
    [50, [6.4, 6.4, 6.4], 7, 12.8],
    [0, [1, 2, 4, 5], 7, 9],
  ]) {
    const found = syncAtSegment(...playlist(begin, lengths), least);
    assert.ok(Math.abs(found - expected) < 1e-9, `${lengths}: ${found}, not ${expected}`);
  }
});

test("where it is known when the others are, one begins as near to them as a segment allows", () => {
  const [fragments, edge] = playlist(100, [2, 2, 2, 2, 2, 2]);
  for (const [wished, expected] of [[7.2, 8], [6.9, 6], [9.4, 10], [1, 4], [99, 12]]) {
    assert.equal(syncAtSegment(fragments, edge, 7, wished), expected, String(wished));
  }
});

test('a playlist that is shorter than that leaves the choice to the player', () => {
  assert.equal(syncAtSegment(...playlist(0, [2, 2]), 7), 7);
  assert.equal(syncAtSegment([], 0, 7), 7);
});
